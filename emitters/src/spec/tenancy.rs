//! How the rows of one organization are kept from another.

use serde::Serialize;

/// The separation of tenants. Queries are always filtered; this says what stands behind that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tenancy {
    /// Whether PostgreSQL itself refuses rows of another organization.
    pub row_level_security: bool,
}
