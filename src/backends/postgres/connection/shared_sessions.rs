//! Whether connections share server sessions: seen by comparing two of them.

use tokio_postgres::Client;

/// Which of the two is asked when. The order does not repeat, so that sessions assigned in turns are detected too.
const LOOKS: [usize; 8] = [0, 1, 1, 0, 1, 0, 0, 1];

/// Whether one server process answers on both of two connections that are open at once, or several on one. Only a
/// transaction pooler does that, and it is bound to be seen: an idle process is given to the next client.
pub async fn share_sessions(one: &Client, two: &Client) -> Result<bool, tokio_postgres::Error> {
    let mut first: [Option<i32>; 2] = [None; 2];
    for look in LOOKS {
        let client = if look == 0 { one } else { two };
        for row in client.query_typed("SELECT pg_catalog.pg_backend_pid()", &[]).await? {
            let pid = row.try_get(0)?;
            if *first[look].get_or_insert(pid) != pid {
                return Ok(true);
            }
        }
    }
    Ok(first[0] == first[1])
}
