//! Every name that is made from an entity's name.

use super::entity::RawEntity;
use super::errors::Errors;
use super::name::{Entry, Identifier};
use crate::spec::error::{Problem, SpecError, quoted};
use crate::spec::{EntityNames, text};
use astgen_pyast::Name;

/// The names of an entity; `None` when one of them is bad, which is then reported.
pub fn names(entry: &Entry<RawEntity>, errors: &mut Errors) -> Option<EntityNames> {
    let (name, raw) = (entry.name?, entry.value.as_ref()?);
    let plural = plural(entry, name, raw, errors)?;
    let Some(classes) = classes(name) else {
        let (name, what) = (quoted(name.as_str()), "an entity");
        let problem = Problem::BadName { name, what, reason: "its class would be a reserved word" };
        errors.push(SpecError::new(entry.key.place.clone(), problem).help("choose another name"));
        return None;
    };
    let [id, class, create_class, update_class, public_class] = classes;
    let title = raw.title.clone().unwrap_or_else(|| text::title(name.as_str()));
    let plural_title = match (&raw.plural_title, &raw.title) {
        (Some(plural_title), _) => plural_title.clone(),
        (None, Some(title)) => text::plural(title),
        (None, None) => text::title(plural.as_str()),
    };
    Some(EntityNames {
        name,
        plural,
        id,
        class,
        create_class,
        update_class,
        public_class,
        table: plural.to_string(),
        model_module: format!("app.models.{name}"),
        schema_module: format!("app.schemas.{name}"),
        api_module: format!("app.api.{plural}"),
        path: plural.as_str().replace('_', "-"),
        title,
        plural_title,
    })
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

fn classes(name: Name) -> Option<[Name; 5]> {
    let class = text::pascal_case(name.as_str());
    let parse = |text: String| Name::parse(&text).ok();
    Some([
        parse(format!("{name}_id"))?,
        parse(class.clone())?,
        parse(format!("{class}Create"))?,
        parse(format!("{class}Update"))?,
        parse(format!("{class}Public"))?,
    ])
}
