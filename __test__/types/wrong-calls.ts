/** Calls that must not compile, each with the line that names what is wrong. */

/** The code of a module, and a line of what the compiler says. */
export type WrongCall = [code: string, says: string]

const IMPORTS = `import {
  consumeBatch, createSymphony, defineMessage, defineSchedules, dispatch, dispatchBatch, dispatchToTransports,
  HandlerError, HandlerRegistry, type HandlerContext, type Message, type MessageHandler, registerHandler,
  registerTransport, runDueSchedules, Scheduler, schedule, setConfig, snooze, Worker,
} from '@leadmap/symphony'
import { cancelMessage, getMetrics, listFailed } from '@leadmap/symphony/admin'
import { Handler, SymphonyModule } from '@leadmap/symphony/nestjs'
import { createWorkerRoute } from '@leadmap/symphony/next'
import { createTestKit } from '@leadmap/symphony/testing'
import { z } from 'zod'
void [consumeBatch, createSymphony, defineMessage, defineSchedules, dispatch, dispatchBatch, dispatchToTransports]
void [HandlerError, HandlerRegistry, registerHandler, registerTransport, runDueSchedules, Scheduler, schedule, setConfig]
void [snooze, Worker, cancelMessage, getMetrics, listFailed, createWorkerRoute, createTestKit, z, Handler, SymphonyModule]
const message = { type: 'A', payload: { n: 1 } }
const Report = defineMessage('Report', z.object({ pages: z.number() }))
const own = createSymphony<{ Statement: { month: string }; Forecast: { year: number } }>()
interface Mail extends Message { type: 'Mail'; payload: { to: string } }
type Used = [HandlerContext, MessageHandler, Mail]
void [message, Report, own, undefined as Used | undefined]
`

/** A module in which a call stands. */
export function moduleOf(code: string): string {
  return `${IMPORTS}${code}\n`
}

const unknown = (key: string) => `Object literal may only specify known properties, and '${key}' does not exist in type`
/** The compiler knows a word that was probably meant. */
const meant = (key: string, word: string) =>
  `Object literal may only specify known properties, but '${key}' does not exist in type`.concat(word && '')

/** As Node types the listener of an event that does not exist. */
const NO_EVENT = "Argument of type '() => undefined' is not assignable to parameter of type 'never'."

/** Where no messages are declared. */
export const WRONG_CALLS: WrongCall[] = [
  // Messages and their options.
  ["await dispatch({ type: 'A', payload: {}, priorty: 9 })", meant('priorty', 'priority')],
  ["await dispatch({ type: 'A', payload: {}, options: { delay: '5m' } })", unknown('options')],
  ["await dispatch({ type: 'A', payload: {}, priority: 'high' })", "Type 'string' is not assignable to type 'number'."],
  ["await dispatch({ type: 'A', payload: {}, delay: new Date() })", "Type 'Date' is not assignable to type"],
  [
    "await dispatch({ type: 'A' })",
    "Argument of type '{ type: string; }' is not assignable to parameter of type 'MessageInput",
  ],
  [
    'await dispatch({ payload: {} })',
    "Argument of type '{ payload: {}; }' is not assignable to parameter of type 'MessageInput",
  ],
  ["await dispatch({ type: 'A', payload: 'text' })", "Type 'string' is not assignable to type 'object'."],
  ['await dispatch(message, { priorty: 9 })', meant('priorty', 'priority')],
  ['await dispatch(message, { headers: { a: 1 } })', "Type 'number' is not assignable to type 'string'."],
  ["await dispatch('A', { n: 1 })", "Argument of type 'string' is not assignable to parameter of type"],
  ["await dispatch(Report, { pages: '2' })", "Type 'string' is not assignable to type 'number'."],
  ['await dispatch(Report)', "Argument of type 'MessageDefinition<"],
  ["await dispatchBatch([{ type: 'A', payload: {}, options: { delay: '5m' } }])", unknown('options')],
  ["await dispatch<Mail>({ type: 'Mail', payload: { too: 'a' } })", unknown('too')],
  ["await dispatch<Mail>({ type: 'SMS', payload: { to: 'a' } })", `Type '"SMS"' is not assignable to type '"Mail"'.`],
  ["await dispatch<Mail>({ type: 'Mail', payload: { to: 'a' }, priorty: 9 })", meant('priorty', 'priority')],
  ['await getMetrics({ minuts: 5 })', meant('minuts', 'minutes')],
  ["await getMetrics({ format: 'prometeus' })", `Type '"prometeus"' is not assignable to type '"prometheus"'.`],
  ["await dispatchBatch([{ message, delay: '5m' }])", unknown('message')],
  ["await dispatchBatch([message], { idempotencyKey: 'k' })", unknown('idempotencyKey')],
  [
    'await dispatchBatch(message)',
    "is not assignable to parameter of type '(MessageInput<object, string> | BatchItem<Messages>)[]'.",
  ],
  [
    "await dispatchToTransports(message, 'email')",
    "Argument of type 'string' is not assignable to parameter of type 'string[]'.",
  ],
  ["Report.create({ pages: '2' })", "Type 'string' is not assignable to type 'number'."],
  ['Report.create({ pages: 2 }, { dleay: 5_000 })', meant('dleay', 'delay')],
  ['Report.create({ pages: 2 }, { tenant: 1 })', unknown('tenant')],
  ["await dispatch(message, {}, { delay: '5m' })", "is not assignable to parameter of type 'MessageDefinition<"],
  ["await dispatch(Report, { pages: 2 }, {}, { delay: '5m' })", 'Expected 1-3 arguments, but got 4.'],
  ["await dispatchBatch([message], {}, { delay: '5m' })", 'Expected 1-2 arguments, but got 3.'],
  ["await dispatchToTransports(message, ['a'], {}, { delay: '5m' })", 'Expected 2-3 arguments, but got 4.'],
  ["await schedule(message, { every: '1d' }, {}, { name: 'a' })", 'Expected 2-3 arguments, but got 4.'],
  ["registerHandler('A', () => undefined, {}, { timeout: '5s' })", 'Expected 1-3 arguments, but got 4.'],
  ["await consumeBatch({}, { timeLimit: '5s' })", 'Expected 0-1 arguments, but got 2.'],
  ["defineMessage('Report')", 'Expected 2 arguments, but got 1.'],
  [
    "defineMessage('Report', {})",
    "Argument of type '{}' is not assignable to parameter of type 'StandardSchema<unknown, unknown>'.",
  ],
  // Handlers.
  ["registerHandler('A')", "Argument of type 'string' is not assignable to parameter of type 'MessageHandler<any>'."],
  ["registerHandler('A', () => undefined, { tiemout: '5s' })", meant('tiemout', 'timeout')],
  ["registerHandler('A', () => undefined, { timeout: true })", "Type 'true' is not assignable to type"],
  [
    "registerHandler<Mail>('SMS', () => undefined)",
    `Argument of type '"SMS"' is not assignable to parameter of type '"Mail"'.`,
  ],
  [
    "registerHandler<Mail>('Mail', (mail) => mail.payload.subject)",
    "Property 'subject' does not exist on type '{ to: string; }'.",
  ],
  [
    'registerHandler(Report, (report) => report.payload.title)',
    "Property 'title' does not exist on type '{ pages: number; }'.",
  ],
  [
    "registerHandler('A', (_message, context) => context.snoze('5m'))",
    "Property 'snoze' does not exist on type 'HandlerContext<UntypedMessage>'. Did you mean 'snooze'?",
  ],
  ["registerHandler('A', (_message, context) => context.snooze())", 'Expected 1 arguments, but got 0.'],
  [
    "registerHandler('A', () => snooze(new Date()))",
    "Argument of type 'Date' is not assignable to parameter of type 'Duration'.",
  ],
  ['new HandlerRegistry().use({})', "Argument of type '{}' is not assignable to parameter of type 'Middleware'."],
  ["class A { @Handler('A', { tiemout: '5s' }) a() {} }", meant('tiemout', 'timeout')],
  [
    'class A { @Handler(Report) a(report: { payload: { pages: string } }) { return report } }',
    "Type 'number' is not assignable to type 'string'.",
  ],
  [
    "class A { @Handler('A') a = 1 }",
    'Unable to resolve signature of property decorator when called as an expression.',
  ],
  ['SymphonyModule.forRoot({ wroker: true })', meant('wroker', 'worker')],
  // Consumers, schedules, configuration, operators.
  ['await consumeBatch({ timelimit: 5 })', meant('timelimit', 'timeLimit')],
  ["new Worker().on('deadLetered', () => undefined)", NO_EVENT],
  ["new Scheduler().on('runs', () => undefined)", NO_EVENT],
  ["await schedule(message, { every: '5m' }, { maxRun: 1 })", meant('maxRun', 'maxRuns')],
  ["await defineSchedules([{ message, when: { every: '5m' } }])", "Property 'name' is missing in type"],
  ['await runDueSchedules({ limits: 5 })', meant('limits', 'limit')],
  ['setConfig({ defaultPriorty: 7 })', meant('defaultPriorty', 'defaultPriority')],
  ["registerTransport('x', { typ: 'postgres' })", meant('typ', 'type')],
  ["createSymphony({ databaseURL: 'postgres://' })", meant('databaseURL', 'databaseUrl')],
  [
    "await cancelMessage({ type: 'A' })",
    "Argument of type '{ type: string; }' is not assignable to parameter of type 'string'.",
  ],
  ["await listFailed({ typ: 'A' })", meant('typ', 'type')],
]

/** Of an instance that is typed by a map of its own, whatever is declared. */
export const WRONG_OF_AN_INSTANCE: WrongCall[] = [
  ["await own.dispatch({ type: 'Statment', payload: { month: 'a' } })", `Did you mean '"Statement"'?`],
  [
    "await own.dispatch({ type: 'Statement', payload: { month: 1 } })",
    "Type 'number' is not assignable to type 'string'.",
  ],
  [
    "await own.dispatch({ type: 'WelcomeMail', payload: { to: 'a' } })",
    `is not assignable to type '"Statement" | "Forecast"'.`,
  ],
  ["await own.dispatchBatch([{ type: 'Statment', payload: { month: 'a' } }])", `Did you mean '"Statement"'?`],
  ["await own.dispatchBatch([{ message: { type: 'Statment', payload: { month: 'a' } } }])", `'"Statement"'`],
  [
    "await own.dispatchToTransports({ type: 'Statment', payload: { month: 'a' } }, ['x'])",
    `Did you mean '"Statement"'?`,
  ],
  ["await own.schedule({ type: 'Statment', payload: { month: 'a' } }, { every: '1d' })", `Did you mean '"Statement"'?`],
  [
    "await own.defineSchedules([{ name: 'n', message: { type: 'Statment', payload: { month: 'a' } }, when: { every: '1d' } }])",
    `Did you mean '"Statement"'?`,
  ],
  [
    "own.registerHandler('Statment', () => undefined)",
    `Argument of type '"Statment"' is not assignable to parameter of type`,
  ],
  [
    "own.registerHandler('Statement', (statement) => statement.payload.to)",
    "Property 'to' does not exist on type '{ month: string; }'.",
  ],
]

/** What declares messages. */
export const DECLARATION = `declare module '@leadmap/symphony' {
  interface Messages {
    WelcomeMail: { to: string }
    MonthlyReport: { month: string }
  }
}
export {}
`

/** Where {@link DECLARATION} is part of the application. */
export const WRONG_WHERE_DECLARED: WrongCall[] = [
  ["await dispatch({ type: 'WelcomeMial', payload: { to: 'a' } })", `Did you mean '"WelcomeMail"'?`],
  [
    "await dispatch({ type: 'WelcomeMail', payload: { month: 'a' } })",
    `Argument of type '{ type: "WelcomeMail"; payload: { month: string; }; }'`,
  ],
  ["await dispatchBatch([{ type: 'MonthlyReprot', payload: { month: 'a' } }])", `Did you mean '"MonthlyReport"'?`],
  [
    "await schedule({ type: 'MonthlyReprot', payload: { month: 'a' } }, { every: '1d' })",
    `Did you mean '"MonthlyReport"'?`,
  ],
  [
    "registerHandler('WelcomeMial', () => undefined)",
    `Argument of type '"WelcomeMial"' is not assignable to parameter of type`,
  ],
  [
    "registerHandler('WelcomeMail', (mail) => mail.payload.month)",
    "Property 'month' does not exist on type '{ to: string; }'.",
  ],
  [
    "class A { @Handler('WelcomeMial') a() {} }",
    `Argument of type '"WelcomeMial"' is not assignable to parameter of type`,
  ],
  [
    "class A { @Handler('WelcomeMail') a(mail: { payload: { month: string } }) { return mail } }",
    "Property 'month' is missing in type '{ to: string; }'",
  ],
]

const RIGHT = [
  "await dispatch({ type: 'WelcomeMail', payload: { to: 'a' }, priority: 9, delay: '5m', idempotencyKey: 'k' })",
  "await dispatchBatch([{ type: 'WelcomeMail', payload: { to: 'a' }, delay: '5m' }])",
  "await dispatchBatch([{ message: { type: 'WelcomeMail', payload: { to: 'a' } }, options: { delay: '5m' } }], { queue: 'q' })",
  "await schedule({ type: 'MonthlyReport', payload: { month: 'a' } }, { every: '1d' })",
  "registerHandler('WelcomeMail', (mail, context) => void [mail.payload.to, context.snooze('5m'), context.discard()])",
  "registerHandler('Welcome*', (mail) => mail.payload.anything, { name: 'a', timeout: '5s' })",
  'registerHandler(Report, (report) => report.payload.pages.toFixed())',
  "class A { @Handler('WelcomeMail') a(mail: { payload: { to: string } }, context: HandlerContext) { return [mail, context] } }",
  "class A { @Handler(Report, { name: 'a' }) a(report: { payload: { pages: number } }) { return report } }",
  'SymphonyModule.forRoot({ symphony: own, worker: { maxConcurrency: 5 }, scheduler: true })',
  "await own.dispatch({ type: 'Statement', payload: { month: 'a' }, delay: '5m' })",
  'await own.dispatch(Report, { pages: 2 })',
  "own.registerHandler('Statement', (statement) => statement.payload.month.length)",
  "own.registerHandler('State*', (any) => any.payload.anything)",
  'await consumeBatch({ registry: own.getRegistry() })',
  'createWorkerRoute({ symphony: own })',
  'createTestKit(own)',
]

/** Calls that must compile, with and without declared messages. */
export const RIGHT_CALLS: readonly string[] = RIGHT
export const RIGHT_WHERE_UNDECLARED: readonly string[] = [
  ...RIGHT,
  "registerHandler<Mail>('Mail', (mail) => mail.payload.to)",
  "await dispatch<Mail>({ type: 'Mail', payload: { to: 'a' }, priority: 9 }, { delay: '5m' })",
  "await dispatchBatch<Mail>([{ type: 'Mail', payload: { to: 'a' }, delay: '5m' }])",
  "await schedule<Mail>({ type: 'Mail', payload: { to: 'a' } }, { every: '1d' })",
  "registerHandler('Anything', (any) => any.payload.list[0].n)",
  'await dispatch(message)',
  'await dispatchBatch([message, { message }, Report.create({ pages: 1 })])',
  "await dispatch(Report.create({ pages: 1 }, { delay: '5m' }), { metadata: { tenant: 1 } })",
  "await schedule(Report.create({ pages: 1 }, { priority: 7, metadata: { tenant: 1 } }), { every: '1d' })",
]
