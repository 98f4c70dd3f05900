/** The queue as providers inject it. */
import type { Symphony } from '../symphony.js'

/**
 * The queue of the application, injected by its type: it has every function of an instance.
 *
 * @example
 * constructor(private readonly symphony: SymphonyService) {}
 */
export type SymphonyService = Symphony

/** A class, since Nest takes the type of a parameter as its token; the module provides the instance for it. */
export const SymphonyService: abstract new () => Symphony = class SymphonyService {} as never
