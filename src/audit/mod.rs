//! The guard audit: are the guards of every generated route still there, in the files as they are?
//!
//! A route's guards are the dependencies that can refuse a request: those of its decorator, its parameters, its
//! router and the router's inclusion, and what these depend on. Names are followed through the imports of the
//! project, so an alias, a move to another module or a rename of the route hides nothing.
//!
//! # What reading cannot prove
//!
//! That a guard still refuses what it did (somebody may have edited it); that nothing overrides it at run time
//! (`app.dependency_overrides`); what a decorator between the route and its function does; and routes that are
//! made by a loop or by `add_api_route`. The report names the last two and the overrides where it sees them.

mod dependencies;
mod modules;
mod routes;

pub use dependencies::Dependency;
use dependencies::can_refuse;
use modules::Modules;
use routes::{Route, routes};
use serde::Serialize;
use std::collections::{BTreeSet, HashSet};
use std::fmt;

/// What the audit of a project found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The routes that are generated.
    pub generated: Vec<Audited>,
    /// Routes that people added.
    pub added: Vec<Added>,
    /// Files that could not be read, so nothing in them is known.
    pub unreadable: Vec<Unread>,
    /// What reading cannot prove, with its place.
    pub unproven: Vec<Unproven>,
}

/// A generated route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audited {
    /// The function as it is generated.
    pub route: String,
    /// Where it is; `None` when it is not there any more, so nothing needs its guards.
    pub place: Option<Place>,
    /// Guards that are there.
    pub guards: Vec<String>,
    /// Guards that are not.
    pub missing: Vec<String>,
}

/// A place in the project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, relative to the folder that Python runs in.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
}

/// A route that people added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Added {
    /// The function.
    pub route: String,
    /// Where it is.
    pub place: Place,
    /// The requests that it answers.
    pub requests: Vec<String>,
    /// Its guards.
    pub guards: Vec<String>,
}

/// A file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// The file.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Something that the audit sees and cannot follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unproven {
    /// Where.
    pub place: Place,
    /// What.
    pub what: &'static str,
}

impl Report {
    /// Whether a guard is missing, or a file that may hold routes cannot be read.
    pub fn is_failed(&self) -> bool {
        !self.unreadable.is_empty() || self.generated.iter().any(|it| !it.missing.is_empty())
    }
}

/// Audits a project: its files as they are generated, and as they are. Paths are relative to the folder that
/// Python runs in.
///
/// ```
/// use astgen::audit::audit;
/// let guarded = "from fastapi import APIRouter, Depends\n\nrouter = APIRouter()\n\n\n\
///     def check() -> None:\n    raise ValueError\n\n\n\
///     @router.get(\"/a\", dependencies=[Depends(check)])\ndef a() -> int:\n    return 1\n";
/// let open = guarded.replace(", dependencies=[Depends(check)]", "");
/// let files = |text: &str| vec![("app/a.py".to_owned(), text.to_owned())];
/// assert!(!audit(&files(guarded), &files(guarded)).is_failed());
/// assert_eq!(audit(&files(guarded), &files(&open)).generated[0].missing, ["check"]);
/// ```
pub fn audit(generated: &[(String, String)], found: &[(String, String)]) -> Report {
    let (expected, _) = Modules::parse(generated);
    let (modules, unreadable) = Modules::parse(found);
    let mut there: Vec<Option<Route>> = routes(&modules).into_iter().map(Some).collect();
    let wanted: Vec<Route> = routes(&expected);
    let places = places(&wanted, &mut there);
    let mut audited = Vec::new();
    for (route, place) in wanted.iter().zip(places) {
        audited.push(compare(&expected, &modules, route, place.as_ref()));
    }
    let added = there.into_iter().flatten().map(|route| Added {
        guards: guards(&modules, &route).iter().map(ToString::to_string).collect(),
        requests: route.requests.iter().cloned().collect(),
        place: Place { path: route.path.clone(), line: route.line },
        route: route.function,
    });
    let unreadable = unreadable.into_iter().map(|it| Unread { path: it.path, reason: it.reason });
    Report {
        generated: audited,
        added: added.collect(),
        unreadable: unreadable.collect(),
        unproven: unproven(generated, found),
    }
}

/// The dependencies of a route that can refuse a request.
fn guards(modules: &Modules<'_>, route: &Route) -> BTreeSet<Dependency> {
    let all = route.dependencies.iter();
    all.filter(|dependency| can_refuse(modules, &dependency.provider)).cloned().collect()
}

/// Finds each wanted route, surest first: by its region, by its name, by its request, by its body.
fn places(wanted: &[Route], there: &mut [Option<Route>]) -> Vec<Option<Route>> {
    let mut places: Vec<Option<Route>> = vec![None; wanted.len()];
    let name = |function: &str| function.rsplit('.').next().map(str::to_owned);
    type IsIt<'a> = &'a dyn Fn(&Route, &Route) -> bool;
    let ways: [IsIt<'_>; 5] = [
        &|a, b| a.region.is_some() && a.region == b.region,
        &|a, b| a.function == b.function,
        &|a, b| a.requests.intersection(&b.requests).next().is_some(),
        &|a, b| name(&a.function) == name(&b.function),
        &|a, b| a.body == b.body,
    ];
    for is_it in ways {
        for (route, place) in wanted.iter().zip(&mut places) {
            if place.is_none() {
                let found =
                    there.iter_mut().find(|it| it.as_ref().is_some_and(|it| is_it(route, it)));
                *place = found.and_then(Option::take);
            }
        }
    }
    places
}

fn compare(
    expected: &Modules<'_>,
    modules: &Modules<'_>,
    wanted: &Route,
    there: Option<&Route>,
) -> Audited {
    let Some(there) = there else {
        let route = wanted.function.clone();
        return Audited { route, place: None, guards: Vec::new(), missing: Vec::new() };
    };
    let (mut guards_there, mut missing) = (Vec::new(), Vec::new());
    for guard in guards(expected, wanted) {
        let is_there = there.dependencies.iter().any(|it| satisfies(modules, it, &guard));
        let list = if is_there { &mut guards_there } else { &mut missing };
        list.push(guard.to_string());
    }
    Audited {
        route: wanted.function.clone(),
        place: Some(Place { path: there.path.clone(), line: there.line }),
        guards: guards_there,
        missing,
    }
}

/// Whether a dependency is the guard, or a stricter one: fewer roles.
fn satisfies(modules: &Modules<'_>, found: &Dependency, guard: &Dependency) -> bool {
    let last = |name: &str| name.rsplit('.').next().unwrap_or("").to_owned();
    let is_provider = found.provider == guard.provider
        // It moved to another module.
        || modules.definition(&guard.provider).is_none()
            && modules.moved(&last(&guard.provider)).as_ref() == Some(&found.provider);
    let names = |arguments: &[String]| arguments.iter().map(|it| last(it)).collect::<Vec<_>>();
    let (mine, wanted) = (names(&found.arguments), names(&guard.arguments));
    let is_roles = guard.provider.ends_with("_roles");
    let is_stricter = is_roles && !mine.is_empty() && mine.iter().all(|it| wanted.contains(it));
    is_provider && (mine == wanted || is_stricter)
}

/// Places that a reader must look at; not those that are generated.
fn unproven(generated: &[(String, String)], found: &[(String, String)]) -> Vec<Unproven> {
    const SIGNS: [(&str, &str); 2] = [
        ("dependency_overrides", "replaces dependencies at run time"),
        ("add_api_route(", "adds a route by a call; its guards are not followed"),
    ];
    let known: HashSet<&str> = generated.iter().flat_map(|(_, text)| text.lines()).collect();
    let mut places = Vec::new();
    for (path, text) in found {
        let lines = text.lines().enumerate().filter(|(_, line)| !known.contains(line));
        for (number, line) in lines {
            for (sign, what) in SIGNS {
                if line.contains(sign) && !line.trim_start().starts_with('#') {
                    let place = Place { path: path.clone(), line: number + 1 };
                    places.push(Unproven { place, what });
                }
            }
        }
    }
    places
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for unread in &self.unreadable {
            writeln!(f, "{}: cannot be read: {}", unread.path, unread.reason)?;
        }
        for route in self.generated.iter().filter(|route| !route.missing.is_empty()) {
            let (Some(place), missing) = (&route.place, route.missing.join(", ")) else { continue };
            writeln!(f, "{}:{}: `{}` lost {missing}", place.path, place.line, route.route)?;
        }
        for route in &self.added {
            let guards =
                if route.guards.is_empty() { "nothing".into() } else { route.guards.join(", ") };
            let place = &route.place;
            writeln!(
                f,
                "{}:{}: `{}` was added; guarded by {guards}",
                place.path, place.line, route.route
            )?;
        }
        for it in &self.unproven {
            writeln!(f, "{}:{}: {}", it.place.path, it.place.line, it.what)?;
        }
        let gone = self.generated.iter().filter(|route| route.place.is_none()).count();
        let faulty = self.generated.iter().filter(|route| !route.missing.is_empty()).count();
        writeln!(
            f,
            "{} routes are generated: {} guarded as they should be, {faulty} not, {gone} gone; {} were added",
            self.generated.len(),
            self.generated.len() - faulty - gone,
            self.added.len(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Python files of the example, below the folder that Python runs in.
    fn example() -> Vec<(String, String)> {
        let source = include_str!("../../examples/acme.toml");
        let spec = astgen_emitters::spec::read(source, "acme.toml").unwrap();
        astgen_emitters::generate_printed(&spec)
            .into_iter()
            .filter_map(|file| {
                let path = file.path.strip_prefix("backend/")?.to_owned();
                let is_application = path.starts_with("app/") && path.ends_with(".py");
                is_application.then_some((path, file.text))
            })
            .collect()
    }

    /// The example with one file edited.
    fn edited(path: &str, edit: impl FnOnce(&str) -> String) -> Vec<(String, String)> {
        let mut files = example();
        let file = files.iter_mut().find(|(it, _)| it == path).unwrap();
        let text = edit(&file.1);
        assert_ne!(text, file.1, "the edit changes something");
        file.1 = text;
        files
    }

    /// The guards that the audit misses, with their routes.
    fn missing(found: &[(String, String)]) -> Vec<String> {
        let report = audit(&example(), found);
        let routes = report.generated.into_iter().filter(|route| !route.missing.is_empty());
        routes.map(|it| format!("{}: {}", it.route, it.missing.join(", "))).collect()
    }

    const REPORTS: &str = "app/api/reports.py";

    #[test]
    fn what_is_generated_is_guarded() {
        let report = audit(&example(), &example());
        assert!(!report.is_failed(), "{report}");
        assert_eq!(report.added, []);
        let create = report.generated.iter().find(|it| it.route == "app.api.reports.create_report");
        let guards = &create.unwrap().guards;
        for guard in
            ["require_org_roles(Role.OWNER, Role.ADMIN)", "require_feature(Feature.REPORTS)"]
        {
            assert!(guards.iter().any(|it| it == guard), "{guards:?}");
        }
        assert!(report.generated.iter().all(|it| it.place.is_some()));
    }

    #[test]
    fn a_guard_that_is_gone_is_missed() {
        let feature = "        Depends(require_feature(Feature.REPORTS)),\n";
        let found = edited(REPORTS, |text| text.replacen(feature, "", 1));
        assert_eq!(
            missing(&found),
            ["app.api.reports.list_reports: require_feature(Feature.REPORTS)"]
        );
    }

    #[test]
    fn a_route_with_fewer_roles_is_stricter_and_one_with_more_is_not() {
        let roles = "require_org_roles(Role.OWNER, Role.ADMIN)";
        let found =
            edited(REPORTS, |text| text.replacen(roles, "require_org_roles(Role.OWNER)", 1));
        assert_eq!(missing(&found), [""; 0]);
        let more = "require_org_roles(Role.OWNER, Role.ADMIN, Role.VIEWER)";
        let found = edited(REPORTS, |text| text.replacen(roles, more, 1));
        let expected = format!("app.api.reports.create_report: {roles}");
        assert_eq!(missing(&found), [expected]);
    }

    #[test]
    fn names_are_followed_through_aliases_and_renames() {
        let found = edited(REPORTS, |text| {
            text.replace("import require_org_roles", "import require_org_roles as only")
                .replace("Depends(require_org_roles(", "Depends(only(")
                .replace("async def create_report(", "async def add_report(")
                .replace("# astgen:", "# ")
        });
        assert_eq!(missing(&found), [""; 0]);
        let found = edited(REPORTS, |text| {
            let list = "dependencies=[\n        Depends(require_org_roles(Role.OWNER, Role.ADMIN)),\n        \
                        Depends(require_active_subscription),\n        \
                        Depends(require_feature(Feature.REPORTS)),\n    ]";
            let text = text.replace(list, "dependencies=PAID");
            format!("{text}\n\nPAID = {}\n", list.trim_start_matches("dependencies="))
        });
        assert_eq!(missing(&found), [""; 0]);
    }

    #[test]
    fn a_route_may_move_and_its_guards_to_its_router() {
        let mut found = example();
        let place = found.iter().position(|(path, _)| path == REPORTS).unwrap();
        found[place].0 = "app/reporting/http.py".to_owned();
        assert_eq!(missing(&found), [""; 0]);
        let feature = "        Depends(require_feature(Feature.REPORTS)),\n";
        let tags = "tags=[\"reports\"]";
        let found = edited(REPORTS, |text| {
            let router =
                format!("{tags}, dependencies=[Depends(require_feature(Feature.REPORTS))]");
            text.replace(feature, "").replacen(tags, &router, 1)
        });
        assert_eq!(missing(&found), [""; 0]);
    }

    #[test]
    fn a_route_without_its_parameters_lost_who_may_call_it() {
        let path = "app/api/organizations.py";
        let found = edited(path, |text| text.replace("CurrentUserDep", "User"));
        assert!(!missing(&found).is_empty());
    }

    #[test]
    fn routes_that_people_added_are_told_with_their_guards() {
        let found = edited(REPORTS, |text| {
            format!("{text}\n\n@router.get(\"/mine\")\nasync def mine() -> int:\n    return 1\n")
        });
        let report = audit(&example(), &found);
        assert!(!report.is_failed());
        let [added] = &report.added[..] else { panic!("{:?}", report.added) };
        assert_eq!(added.route, "app.api.reports.mine");
        assert_eq!(added.requests, ["GET /organizations/{organization_id}/reports/mine"]);
        assert_eq!(added.guards, [""; 0]);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let found = edited(REPORTS, |text| format!("{text}\ndef (:\n"));
        let report = audit(&example(), &found);
        assert!(report.is_failed());
        assert_eq!(report.unreadable[0].path, REPORTS);
        let found = edited(REPORTS, |text| format!("{text}\napp.dependency_overrides = {{}}\n"));
        assert_eq!(audit(&example(), &found).unproven.len(), 1);
    }
}
