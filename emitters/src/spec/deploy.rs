//! Where the product runs.

use serde::Serialize;

/// Deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deploy {
    /// The platforms that get their manifests, each once.
    pub targets: Vec<DeployTarget>,
}

/// A platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum DeployTarget {
    /// fly.io.
    Fly,
    /// render.com.
    Render,
}
