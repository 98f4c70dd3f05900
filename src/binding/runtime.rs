//! The threads of the core.

/// Enough for the driver, the loops and the heartbeat; the database does the work.
const THREADS: usize = 2;

#[napi_derive::module_init]
fn start() {
    let built = napi::bindgen_prelude::create_custom_tokio_runtime;
    if let Ok(runtime) =
        tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).thread_name("symphony").enable_all().build()
    {
        built(runtime);
    }
}
