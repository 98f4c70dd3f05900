/**
 * Symphony in a NestJS application: {@link SymphonyModule} makes the queue injectable as {@link SymphonyService}, calls
 * methods marked with {@link Handler}, and runs a worker if you want one.
 *
 * It imports `@nestjs/common` and `@nestjs/core`, of which the rest of the package knows nothing.
 */
export { Handler, type HandlerDecorator } from './nestjs/handler.js'
export { SymphonyModule } from './nestjs/module.js'
export type { SymphonyModuleAsyncOptions, SymphonyModuleOptions } from './nestjs/options.js'
export { SymphonyService } from './nestjs/service.js'
