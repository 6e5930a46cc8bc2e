//! `backend/tests/test_email.py`: mail.

use crate::core::roles::role;
use crate::core::settings::{Environment, Settings};
use crate::models::package::{Invitation, Organization};
use crate::python::builtins::{ValueError, isinstance, str};
use crate::python::pytest::pytest;
use crate::python::standard::logging;
use crate::services::email_service::{
    ConsoleMailer, MemoryMailer, build_mailer, compose, invitation_mail,
};
use crate::spec::Spec;
use crate::tests::casting::ordinary;
use astgen_pyast::prelude::*;

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_email").docstring("Mail.").body(block![
        test_a_header_cannot_be_smuggled_in(),
        test_any_name_of_an_organization_fits_into_a_subject(spec),
        test_in_development_mail_goes_to_the_log(),
        test_tests_keep_their_mail()
    ])
}

fn test_a_header_cannot_be_smuggled_in() -> FunctionDef {
    def("test_a_header_cannot_be_smuggled_in").returns(none()).body(block![
        with(
            py!(pytest.raises(ValueError, r#match = "linefeed")),
            [do_(py!(compose("ada@example.com\nBcc: eve@example.com", "subject", "text")))]
        ),
        with(
            py!(pytest.raises(ValueError, r#match = "linefeed")),
            [do_(py!(compose("ada@example.com", "subject\nBcc: eve@example.com", "text")))]
        )
    ])
}

fn test_any_name_of_an_organization_fits_into_a_subject(spec: &Spec) -> FunctionDef {
    let member = role(ordinary(spec));
    names!(name, invitation, mail);
    def("test_any_name_of_an_organization_fits_into_a_subject")
        .decorator(py!(pytest
            .mark
            .parametrize("name", ["two\nlines", "Bcc: x\r\n\r\nbody", "ä" * 120, "a\tb"])))
        .params([param(name, str)])
        .returns(none())
        .body(block![
            assign(invitation, py!(Invitation(email = "bob@example.com", role = member))),
            assign(mail, py!(invitation_mail(invitation, Organization(name = name), "the-token"))),
            assert_(py!(in_!(" ".join(name.split()), mail["Subject"]))),
            assert_(py!(mail["Bcc"] == None)),
            assert_(py!(mail.get_content().split()[-1] == "the-token"))
        ])
}

fn test_in_development_mail_goes_to_the_log() -> FunctionDef {
    names!(caplog, monkeypatch, mailer);
    async_def("test_in_development_mail_goes_to_the_log")
        .params([
            param(caplog, py!(pytest.LogCaptureFixture)),
            param(monkeypatch, py!(pytest.MonkeyPatch)),
        ])
        .returns(none())
        .body(block![
            do_(py!(monkeypatch.setattr(logging.getLogger("app"), "propagate", true))),
            assign(mailer, py!(build_mailer(Settings(environment = Environment.DEVELOPMENT)))),
            assert_(py!(isinstance(mailer, ConsoleMailer))),
            with(
                py!(caplog.at_level(logging.INFO, "app")),
                [do_(py!(mailer
                    .send(compose("ada@example.com", "the subject", "the text"))
                    .await))]
            ),
            assert_(py!(in_!("the subject", caplog.text))),
            assert_(py!(in_!("the text", caplog.text)))
        ])
}

fn test_tests_keep_their_mail() -> FunctionDef {
    names!(settings);
    def("test_tests_keep_their_mail")
        .params([param(settings, Settings)])
        .returns(none())
        .body([assert_(py!(isinstance(build_mailer(settings), MemoryMailer)))])
}
