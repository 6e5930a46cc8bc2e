//! `backend/.env.example`: every setting with its default.

use super::dotenv::{Line, print};
use crate::core::settings::{Setting, fields};
use crate::spec::Spec;
use crate::{Content, Generated};

/// The file.
#[must_use]
pub fn emit(spec: &Spec) -> Generated {
    let head = [
        Line::Comment(format!("The settings of {}.", spec.project.title)),
        Line::Comment("Copy this file to `.env` and change what differs.".to_owned()),
    ];
    let settings = fields(spec);
    let lines: Vec<Line> = head.into_iter().chain(settings.iter().flat_map(setting)).collect();
    Generated { path: "backend/.env.example".to_owned(), content: Content::Text(print(&lines)) }
}

fn setting(setting: &Setting) -> [Line; 3] {
    let variable = setting.variable();
    let assignment = match setting.default.text() {
        Some(value) => Line::Variable(variable, value),
        None => Line::Unset(variable),
    };
    [Line::Blank, Line::Comment(setting.description.to_owned()), assignment]
}
