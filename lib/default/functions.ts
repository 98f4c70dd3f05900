/**
 * The functions of the package: each is that of the default instance, whose interface describes it. The tags make
 * functions of them in the API reference.
 */
import type { Symphony } from '../symphony.js'
import { defaultSymphony } from './instance.js'

/** A function that passes on what it is given: all its forms, and arguments that it does not have, to be refused. */
type Forwarded = (...given: unknown[]) => never

/** @function */
export const getConfig: Symphony['getConfig'] = () => defaultSymphony().getConfig()
/** @function */
export const getConfigOrigins: Symphony['getConfigOrigins'] = () => defaultSymphony().getConfigOrigins()
/** @function */
export const setConfig: Symphony['setConfig'] = (config) => defaultSymphony().setConfig(config)
/** @function */
export const resetConfig: Symphony['resetConfig'] = () => defaultSymphony().resetConfig()
/** @function */
export const loadConfig: Symphony['loadConfig'] = (path) => defaultSymphony().loadConfig(path)
/** @function */
export const getTransportConfig: Symphony['getTransportConfig'] = (name) => defaultSymphony().getTransportConfig(name)
/** @function */
export const getTransportsForMessageType: Symphony['getTransportsForMessageType'] = (type, priority) =>
  defaultSymphony().getTransportsForMessageType(type, priority)
/** @function */
export const getRetryConfig: Symphony['getRetryConfig'] = (type) => defaultSymphony().getRetryConfig(type)
/** @function */
export const getRuntimeConfigManager: Symphony['getRuntimeConfigManager'] = () =>
  defaultSymphony().getRuntimeConfigManager()

/** @function */
export const dispatch: Symphony['dispatch'] = (...given: unknown[]) =>
  (defaultSymphony().dispatch as Forwarded)(...given)
/** @function */
export const dispatchBatch: Symphony['dispatchBatch'] = (...given: unknown[]) =>
  (defaultSymphony().dispatchBatch as Forwarded)(...given)
/** @function */
export const dispatchToTransports: Symphony['dispatchToTransports'] = (...given: unknown[]) =>
  (defaultSymphony().dispatchToTransports as Forwarded)(...given)
/** @function */
export const registerTransport: Symphony['registerTransport'] = (...given: unknown[]) =>
  (defaultSymphony().registerTransport as Forwarded)(...given)
/** @function */
export const getDuplicateAttempts: Symphony['getDuplicateAttempts'] = (key) =>
  defaultSymphony().getDuplicateAttempts(key)
/** @function */
export const getDispatcher: Symphony['getDispatcher'] = () => defaultSymphony().getDispatcher()
/** @function */
export const setDispatcher: Symphony['setDispatcher'] = (dispatcher) => defaultSymphony().setDispatcher(dispatcher)

/** @function */
export const registerHandler: Symphony['registerHandler'] = (...given: unknown[]) =>
  (defaultSymphony().registerHandler as Forwarded)(...given)
/** @function */
export const getRegistry: Symphony['getRegistry'] = () => defaultSymphony().getRegistry()

/** @function */
export const consumeBatch: Symphony['consumeBatch'] = (...given: unknown[]) =>
  (defaultSymphony().consumeBatch as Forwarded)(...given)

/** @function */
export const schedule: Symphony['schedule'] = (...given: unknown[]) =>
  (defaultSymphony().schedule as Forwarded)(...given)
/** @function */
export const defineSchedules: Symphony['defineSchedules'] = (...given: unknown[]) =>
  (defaultSymphony().defineSchedules as Forwarded)(...given)
/** @function */
export const listSchedules: Symphony['listSchedules'] = (options) => defaultSymphony().listSchedules(options)
/** @function */
export const getSchedule: Symphony['getSchedule'] = (name) => defaultSymphony().getSchedule(name)
/** @function */
export const pauseSchedule: Symphony['pauseSchedule'] = (name, because) =>
  defaultSymphony().pauseSchedule(name, because)
/** @function */
export const resumeSchedule: Symphony['resumeSchedule'] = (name, because) =>
  defaultSymphony().resumeSchedule(name, because)
/** @function */
export const runScheduleNow: Symphony['runScheduleNow'] = (name, because) =>
  defaultSymphony().runScheduleNow(name, because)
/** @function */
export const deleteSchedule: Symphony['deleteSchedule'] = (name, because) =>
  defaultSymphony().deleteSchedule(name, because)
/** @function */
export const runDueSchedules: Symphony['runDueSchedules'] = (...given: unknown[]) =>
  (defaultSymphony().runDueSchedules as Forwarded)(...given)

/** @function */
export const listMessages: Symphony['listMessages'] = (...given: unknown[]) =>
  (defaultSymphony().listMessages as Forwarded)(...given)
/** @function */
export const getMessage: Symphony['getMessage'] = (id) => defaultSymphony().getMessage(id)
/** @function */
export const cancelMessage: Symphony['cancelMessage'] = (id, because) => defaultSymphony().cancelMessage(id, because)
/** @function */
export const editMessage: Symphony['editMessage'] = (id, changes, because) =>
  defaultSymphony().editMessage(id, changes, because)
/** @function */
export const listFailed: Symphony['listFailed'] = (...given: unknown[]) =>
  (defaultSymphony().listFailed as Forwarded)(...given)
/** @function */
export const countFailed: Symphony['countFailed'] = (filter) => defaultSymphony().countFailed(filter)
/** @function */
export const getFailed: Symphony['getFailed'] = (id) => defaultSymphony().getFailed(id)
/** @function */
export const retryFailed: Symphony['retryFailed'] = (which, because) => defaultSymphony().retryFailed(which, because)
/** @function */
export const removeFailed: Symphony['removeFailed'] = (which, because) => defaultSymphony().removeFailed(which, because)
/** @function */
export const previewOperation: Symphony['previewOperation'] = (options) => defaultSymphony().previewOperation(options)
/** @function */
export const startOperation: Symphony['startOperation'] = (options) => defaultSymphony().startOperation(options)
/** @function */
export const stepOperation: Symphony['stepOperation'] = (id, options) => defaultSymphony().stepOperation(id, options)
/** @function */
export const abortOperation: Symphony['abortOperation'] = (id) => defaultSymphony().abortOperation(id)
/** @function */
export const runOperation: Symphony['runOperation'] = (which, options) => defaultSymphony().runOperation(which, options)
/** @function */
export const getAuditEntry: Symphony['getAuditEntry'] = (id) => defaultSymphony().getAuditEntry(id)
/** @function */
export const listAudit: Symphony['listAudit'] = (options) => defaultSymphony().listAudit(options)
/** @function */
export const stopWorkers: Symphony['stopWorkers'] = (options) => defaultSymphony().stopWorkers(options)
/** @function */
export const why: Symphony['why'] = (id, options) => defaultSymphony().why(id, options)
/** @function */
export const pause: Symphony['pause'] = (options) => defaultSymphony().pause(options)
/** @function */
export const resume: Symphony['resume'] = (options) => defaultSymphony().resume(options)
/** @function */
export const listPauses: Symphony['listPauses'] = () => defaultSymphony().listPauses()
/** @function */
export const listWorkers: Symphony['listWorkers'] = () => defaultSymphony().listWorkers()
/** @function */
export const getDepths: Symphony['getDepths'] = (options) => defaultSymphony().getDepths(options)
/** @function */
export const listErrorGroups: Symphony['listErrorGroups'] = (options) => defaultSymphony().listErrorGroups(options)
/** @function */
export const setErrorGroup: Symphony['setErrorGroup'] = (type, errorClass, state, note, because) =>
  defaultSymphony().setErrorGroup(type, errorClass, state, note, because)
/** @function */
export const listRefusedKeys: Symphony['listRefusedKeys'] = (options) => defaultSymphony().listRefusedKeys(options)
/** @function */
export const listReleases: Symphony['listReleases'] = () => defaultSymphony().listReleases()
/** @function */
export const cleanup: Symphony['cleanup'] = (options) => defaultSymphony().cleanup(options)
/** @function */
export const migrate: Symphony['migrate'] = (options) => defaultSymphony().migrate(options)
/** @function */
export const rollback: Symphony['rollback'] = (options) => defaultSymphony().rollback(options)
/** @function */
export const migrationStatus: Symphony['migrationStatus'] = () => defaultSymphony().migrationStatus()

/** @function */
export const getHealth: Symphony['getHealth'] = (options) => defaultSymphony().getHealth(options)
/** @function */
export const doctor: Symphony['doctor'] = (options) => defaultSymphony().doctor(options)
/** @function */
export const getMetrics: Symphony['getMetrics'] = (...given: unknown[]) =>
  (defaultSymphony().getMetrics as Forwarded)(...given)
/** @function */
export const configureNotifications: Symphony['configureNotifications'] = (options) =>
  defaultSymphony().configureNotifications(options)

/** @function */
export const withSymphonyFallback: Symphony['withSymphonyFallback'] = (flag, viaSymphony, legacy) =>
  defaultSymphony().withSymphonyFallback(flag, viaSymphony, legacy)
/** @function */
export const getFeatureFlags: Symphony['getFeatureFlags'] = () => defaultSymphony().getFeatureFlags()
/** @function */
export const isSymphonyEnabled: Symphony['isSymphonyEnabled'] = () => defaultSymphony().isSymphonyEnabled()
/** @function */
export const isFeatureEnabled: Symphony['isFeatureEnabled'] = (name) => defaultSymphony().isFeatureEnabled(name)

/** @function */
export const getLogger: Symphony['getLogger'] = () => defaultSymphony().getLogger()
/** @function */
export const setLogger: Symphony['setLogger'] = (logger) => defaultSymphony().setLogger(logger)
/** @function */
export const close: Symphony['close'] = () => defaultSymphony().close()
