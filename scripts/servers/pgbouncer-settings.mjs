/** What PgBouncer is told. */

/** Since which version it can keep prepared statements, and has to be told not to. */
const keepsStatementsSince = [1, 21]

/**
 * The text of `pgbouncer.ini`.
 *
 * @param {{
 *   server: URL, address: string, port: number, folder: string, version: number[], own: Record<string, string>
 * }} given
 */
export function settings({ server, address, port, folder, version, own }) {
  return `[databases]
* = host=${server.hostname} port=${server.port || 5432}

[pgbouncer]
listen_addr = ${address}
listen_port = ${port}
unix_socket_dir =
auth_type = ${server.password ? 'md5' : 'trust'}
auth_file = ${folder}/users
pool_mode = transaction
default_pool_size = 2
max_client_conn = 1000
${isSince(keepsStatementsSince, version) ? 'max_prepared_statements = 0' : ''}
; What clients say when they connect and a pooler cannot keep.
ignore_startup_parameters = extra_float_digits
; Its connections outlive those who used them: so they are not taken for theirs.
application_name_add_host = 1
; A server that comes back is to be noticed at once.
server_login_retry = 1
pidfile = ${folder}/pid
${Object.entries(own)
  .map(([name, value]) => `${name} = ${value}`)
  .join('\n')}
`
}

/**
 * The text of the file of users: with the plain password it can log in on both sides.
 *
 * @param {URL} server
 */
export function users({ username, password }) {
  const quote = (text) => `"${decodeURIComponent(text).replaceAll('"', '""')}"`
  return `${quote(username)} ${quote(password)}\n`
}

/** @param {number[]} since @param {number[]} version */
function isSince([major, minor], [ourMajor = 0, ourMinor = 0]) {
  return ourMajor > major || (ourMajor === major && ourMinor >= minor)
}
