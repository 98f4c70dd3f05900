//! Prepares the link of the addon.

fn main() {
    napi_build::setup();
}
