// Preloaded: this process believes that it is CLOCK_OFFSET milliseconds later, or earlier.
const offset = Number(process.env.CLOCK_OFFSET)
const RealDate = Date
const now = () => RealDate.now() + offset

globalThis.Date = new Proxy(RealDate, {
  construct: (real, given, target) => Reflect.construct(real, given.length === 0 ? [now()] : given, target),
  apply: () => new RealDate(now()).toString(),
  get: (real, name) => (name === 'now' ? now : Reflect.get(real, name)),
})
