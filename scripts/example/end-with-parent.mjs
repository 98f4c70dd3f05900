/**
 * Loaded into every process of a server (`--import`): ends it when the process that started it is gone, however it
 * went. Otherwise a runner that is killed leaves a server behind.
 */
const parent = process.ppid

setInterval(() => {
  if (process.ppid !== parent) process.exit()
}, 500).unref()
