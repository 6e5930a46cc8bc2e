//! What the product keeps for its organizations.

use super::field::{Field, FieldKind};
use super::guard::{Guards, Operation};
use super::organizations::Role;
use astgen_pyast::Name;
use serde::Serialize;

/// A kind of row that belongs to an organization, with its routes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entity {
    /// What it is called wherever it appears.
    pub names: EntityNames,
    /// One sentence for the documentation; may be empty.
    pub description: String,
    /// The fields that the spec names, in its order; `id` and the like are not among them.
    pub fields: Vec<Field>,
    /// The roles that may list and read; highest rank first.
    pub readers: Vec<Role>,
    /// The roles that may create, update and delete; highest rank first.
    pub writers: Vec<Role>,
    /// What stands before each route, the limit included; roles are not among them.
    pub guards: Guards,
    /// The plan limit that a new row counts against.
    #[serde(serialize_with = "super::as_optional_text")]
    pub limit: Option<Name>,
    /// Whether a deleted row can be restored.
    pub soft_delete: bool,
    /// Whether several rows can be made by one request.
    pub bulk_create: bool,
    /// Whether a change has to name the version that it is of.
    pub requires_if_match: bool,
    /// The fields that a search looks into.
    #[serde(serialize_with = "super::as_texts")]
    pub search: Vec<Name>,
}

/// Every name that is made from an entity's name, made once. `purchase_order` is the example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntityNames {
    /// A variable, a module, a relationship: `purchase_order`.
    #[serde(serialize_with = "super::as_text")]
    pub name: Name,
    /// A list of them, the router's module: `purchase_orders`.
    #[serde(serialize_with = "super::as_text")]
    pub plural: Name,
    /// The parameter and column that hold its key: `purchase_order_id`.
    #[serde(serialize_with = "super::as_text")]
    pub id: Name,
    /// The model's class: `PurchaseOrder`.
    #[serde(serialize_with = "super::as_text")]
    pub class: Name,
    /// The schema of a new row: `PurchaseOrderCreate`.
    #[serde(serialize_with = "super::as_text")]
    pub create_class: Name,
    /// The schema of a change: `PurchaseOrderUpdate`.
    #[serde(serialize_with = "super::as_text")]
    pub update_class: Name,
    /// The schema of an answer: `PurchaseOrderRead`.
    #[serde(serialize_with = "super::as_text")]
    pub read_class: Name,
    /// The schema of a part of a list: `PurchaseOrderPage`.
    #[serde(serialize_with = "super::as_text")]
    pub page_class: Name,
    /// The rules: `PurchaseOrderService`.
    #[serde(serialize_with = "super::as_text")]
    pub service_class: Name,
    /// The rules as a dependency of a route: `PurchaseOrderServiceDep`.
    #[serde(serialize_with = "super::as_text")]
    pub service_dependency: Name,
    /// The database table: `purchase_orders`.
    pub table: String,
    /// The model's module: `app.models.purchase_order`.
    pub model_module: &'static str,
    /// The module of the schemas: `app.schemas.purchase_order`.
    pub schema_module: &'static str,
    /// The module of the rules: `app.services.purchase_order_service`.
    pub service_module: &'static str,
    /// The router's module: `app.api.purchase_orders`.
    pub api_module: &'static str,
    /// The module of what its tests know: `tests.entities.purchase_orders`.
    pub test_module: &'static str,
    /// The first part of the routes, without slashes: `purchase-orders`.
    pub path: String,
    /// What people read: `Purchase order`.
    pub title: String,
    /// What people read for many: `Purchase orders`.
    pub plural_title: String,
}

impl Entity {
    /// The roles that may do an operation; highest rank first.
    #[must_use]
    pub fn roles(&self, operation: Operation) -> &[Role] {
        if operation.is_read() { &self.readers } else { &self.writers }
    }

    /// The entities that this one points at, each once, itself perhaps among them.
    #[must_use]
    pub fn references(&self) -> Vec<&EntityNames> {
        let mut targets: Vec<&EntityNames> = Vec::new();
        for field in &self.fields {
            if let FieldKind::Reference(reference) = &field.kind
                && !targets.contains(&&*reference.to)
            {
                targets.push(&reference.to);
            }
        }
        targets
    }
}
