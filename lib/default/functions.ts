/** The functions of the package: each is that of the default instance, whose interface describes it. */
import type { Symphony } from '../symphony.js'
import { defaultSymphony } from './instance.js'

/** A function of several forms, all of which it passes on. */
type Forwarded = (...given: unknown[]) => never

export const getConfig: Symphony['getConfig'] = () => defaultSymphony().getConfig()
export const setConfig: Symphony['setConfig'] = (config) => defaultSymphony().setConfig(config)
export const resetConfig: Symphony['resetConfig'] = () => defaultSymphony().resetConfig()
export const loadConfig: Symphony['loadConfig'] = (path) => defaultSymphony().loadConfig(path)
export const getTransportConfig: Symphony['getTransportConfig'] = (name) => defaultSymphony().getTransportConfig(name)
export const getTransportsForMessageType: Symphony['getTransportsForMessageType'] = (type, priority) =>
  defaultSymphony().getTransportsForMessageType(type, priority)
export const getRetryConfig: Symphony['getRetryConfig'] = (type) => defaultSymphony().getRetryConfig(type)
export const getRuntimeConfigManager: Symphony['getRuntimeConfigManager'] = () =>
  defaultSymphony().getRuntimeConfigManager()

export const dispatch: Symphony['dispatch'] = (...given: unknown[]) =>
  (defaultSymphony().dispatch as Forwarded)(...given)
export const dispatchBatch: Symphony['dispatchBatch'] = (messages, options) =>
  defaultSymphony().dispatchBatch(messages, options)
export const dispatchToTransports: Symphony['dispatchToTransports'] = (message, transports, options) =>
  defaultSymphony().dispatchToTransports(message, transports, options)
export const registerTransport: Symphony['registerTransport'] = (name, config) =>
  defaultSymphony().registerTransport(name, config)
export const getDuplicateAttempts: Symphony['getDuplicateAttempts'] = (key) =>
  defaultSymphony().getDuplicateAttempts(key)
export const getDispatcher: Symphony['getDispatcher'] = () => defaultSymphony().getDispatcher()
export const setDispatcher: Symphony['setDispatcher'] = (dispatcher) => defaultSymphony().setDispatcher(dispatcher)

export const registerHandler: Symphony['registerHandler'] = (...given: unknown[]) =>
  (defaultSymphony().registerHandler as Forwarded)(...given)
export const getRegistry: Symphony['getRegistry'] = () => defaultSymphony().getRegistry()

export const consumeBatch: Symphony['consumeBatch'] = (options) => defaultSymphony().consumeBatch(options)
export const unhandledMessages: Symphony['unhandledMessages'] = (registry) =>
  defaultSymphony().unhandledMessages(registry)

export const schedule: Symphony['schedule'] = (message, when, options) =>
  defaultSymphony().schedule(message, when, options)
export const defineSchedules: Symphony['defineSchedules'] = (definitions, options) =>
  defaultSymphony().defineSchedules(definitions, options)
export const listSchedules: Symphony['listSchedules'] = (options) => defaultSymphony().listSchedules(options)
export const getSchedule: Symphony['getSchedule'] = (name) => defaultSymphony().getSchedule(name)
export const pauseSchedule: Symphony['pauseSchedule'] = (name) => defaultSymphony().pauseSchedule(name)
export const resumeSchedule: Symphony['resumeSchedule'] = (name) => defaultSymphony().resumeSchedule(name)
export const runScheduleNow: Symphony['runScheduleNow'] = (name) => defaultSymphony().runScheduleNow(name)
export const deleteSchedule: Symphony['deleteSchedule'] = (name) => defaultSymphony().deleteSchedule(name)
export const runDueSchedules: Symphony['runDueSchedules'] = (options) => defaultSymphony().runDueSchedules(options)

export const listMessages: Symphony['listMessages'] = (options) => defaultSymphony().listMessages(options)
export const getMessage: Symphony['getMessage'] = (id) => defaultSymphony().getMessage(id)
export const cancelMessage: Symphony['cancelMessage'] = (id) => defaultSymphony().cancelMessage(id)
export const getStats: Symphony['getStats'] = (options) => defaultSymphony().getStats(options)
export const listFailed: Symphony['listFailed'] = (options) => defaultSymphony().listFailed(options)
export const countFailed: Symphony['countFailed'] = (filter) => defaultSymphony().countFailed(filter)
export const getFailed: Symphony['getFailed'] = (id) => defaultSymphony().getFailed(id)
export const retryFailed: Symphony['retryFailed'] = (which) => defaultSymphony().retryFailed(which)
export const removeFailed: Symphony['removeFailed'] = (which) => defaultSymphony().removeFailed(which)
export const queueDepth: Symphony['queueDepth'] = (options) => defaultSymphony().queueDepth(options)
export const cleanup: Symphony['cleanup'] = (options) => defaultSymphony().cleanup(options)
export const migrate: Symphony['migrate'] = (options) => defaultSymphony().migrate(options)
export const rollback: Symphony['rollback'] = (options) => defaultSymphony().rollback(options)
export const migrationStatus: Symphony['migrationStatus'] = () => defaultSymphony().migrationStatus()

export const getHealth: Symphony['getHealth'] = (options) => defaultSymphony().getHealth(options)
export const doctor: Symphony['doctor'] = (options) => defaultSymphony().doctor(options)
export const getMetrics: Symphony['getMetrics'] = (options) => defaultSymphony().getMetrics(options)
export const prometheusMetrics: Symphony['prometheusMetrics'] = () => defaultSymphony().prometheusMetrics()
export const configureNotifications: Symphony['configureNotifications'] = (options) =>
  defaultSymphony().configureNotifications(options)

export const withSymphonyFallback: Symphony['withSymphonyFallback'] = (flag, viaSymphony, legacy) =>
  defaultSymphony().withSymphonyFallback(flag, viaSymphony, legacy)
export const getFeatureFlags: Symphony['getFeatureFlags'] = () => defaultSymphony().getFeatureFlags()
export const isSymphonyEnabled: Symphony['isSymphonyEnabled'] = () => defaultSymphony().isSymphonyEnabled()
export const isEmailQueueEnabled: Symphony['isEmailQueueEnabled'] = () => defaultSymphony().isEmailQueueEnabled()
export const isCampaignProcessingEnabled: Symphony['isCampaignProcessingEnabled'] = () =>
  defaultSymphony().isCampaignProcessingEnabled()
export const isSmsDripEnabled: Symphony['isSmsDripEnabled'] = () => defaultSymphony().isSmsDripEnabled()

export const getLogger: Symphony['getLogger'] = () => defaultSymphony().getLogger()
export const setLogger: Symphony['setLogger'] = (logger) => defaultSymphony().setLogger(logger)
export const close: Symphony['close'] = () => defaultSymphony().close()
