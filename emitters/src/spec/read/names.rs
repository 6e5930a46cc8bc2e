//! Every name that is made from an entity's name.

use super::entity::RawEntity;
use super::errors::Errors;
use super::name::{Entry, Identifier};
use crate::spec::error::{Problem, SpecError, quoted};
use crate::spec::{EntityNames, text};
use astgen_pyast::name::module_name;
use astgen_pyast::{Name, name};

/// The names of an entity; `None` when one of them is bad, which is then reported.
pub fn names(entry: &Entry<RawEntity>, errors: &mut Errors) -> Option<EntityNames> {
    let (name, raw) = (entry.name?, entry.value.as_ref()?);
    let plural = plural(entry, name, raw, errors)?;
    let title = raw.title.clone().unwrap_or_else(|| text::title(name.as_str()));
    let plural_title = match (&raw.plural_title, &raw.title) {
        (Some(plural_title), _) => plural_title.clone(),
        (None, Some(title)) => text::plural(title),
        (None, None) => text::title(plural.as_str()),
    };
    let made = made(name, plural, title, plural_title);
    if made.is_none() {
        let (name, what) = (quoted(name.as_str()), "an entity");
        let problem = Problem::BadName { name, what, reason: "its class would be a reserved word" };
        errors.push(SpecError::new(entry.key.place.clone(), problem).help("choose another name"));
    }
    made
}

/// What is made from a name and its plural; `None` when a part would be a reserved word.
fn made(name: Name, plural: Name, title: String, plural_title: String) -> Option<EntityNames> {
    let (classes, services) = classes(name)?;
    let [id, class, create_class, update_class, read_class, page_class] = classes;
    let [service_class, service_dependency] = services;
    let [model_module, schema_module, service_module, api_module, test_module] =
        modules(name, plural)?;
    Some(EntityNames {
        name,
        plural,
        id,
        class,
        create_class,
        update_class,
        read_class,
        page_class,
        service_class,
        service_dependency,
        table: plural.to_string(),
        model_module,
        schema_module,
        service_module,
        api_module,
        test_module,
        path: plural.as_str().replace('_', "-"),
        title,
        plural_title,
    })
}

/// The names of what the product keeps of files, as something that a field points at; there are no
/// schemas and no rules of an entity behind them.
pub fn of_files() -> Option<EntityNames> {
    let names = made(name("file"), name("files"), "File".to_owned(), "Files".to_owned())?;
    Some(EntityNames { class: name("StoredFile"), model_module: "app.models.stored_file", ..names })
}

fn plural(
    entry: &Entry<RawEntity>,
    name: Name,
    raw: &RawEntity,
    errors: &mut Errors,
) -> Option<Name> {
    if let Some(plural) = &raw.plural {
        if plural.value != name {
            return Some(plural.value);
        }
        let sentence = "the plural is the same as the name".to_owned();
        let error = SpecError::new(plural.place.clone(), Problem::Inconsistent(sentence));
        errors.push(error.help(format!("write `plural = \"{name}_list\"` or the like")));
        return None;
    }
    let regular = text::plural(name.as_str());
    let mut found = Errors::default();
    let plural = Identifier::Entity.check(&regular, &entry.key.place, &mut found);
    for error in found.kept {
        let help = format!("it is the plural of `{name}`: write another one, `plural = \"…\"`");
        errors.push(error.help(help));
    }
    plural
}

/// The key and the classes, and the two names of the service.
fn classes(name: Name) -> Option<([Name; 6], [Name; 2])> {
    let class = text::pascal_case(name.as_str());
    let parse = |text: String| Name::parse(&text).ok();
    let classes = [
        parse(format!("{name}_id"))?,
        parse(class.clone())?,
        parse(format!("{class}Create"))?,
        parse(format!("{class}Update"))?,
        parse(format!("{class}Read"))?,
        parse(format!("{class}Page"))?,
    ];
    Some((classes, [parse(format!("{class}Service"))?, parse(format!("{class}ServiceDep"))?]))
}

fn modules(name: Name, plural: Name) -> Option<[&'static str; 5]> {
    let parse = |text: String| module_name(&text).ok();
    Some([
        parse(format!("app.models.{name}"))?,
        parse(format!("app.schemas.{name}"))?,
        parse(format!("app.services.{name}_service"))?,
        parse(format!("app.api.{plural}"))?,
        parse(format!("tests.entities.{plural}"))?,
    ])
}
