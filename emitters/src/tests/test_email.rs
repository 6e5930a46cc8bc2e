//! `backend/tests/test_email.py`: mail.

use crate::core::roles::role;
use crate::core::settings::Settings;
use crate::models::package::{Invitation, Organization};
use crate::python::builtins::{ValueError, isinstance, str};
use crate::python::pytest::pytest;
use crate::python::standard::{EmailMessage, logging};
use crate::services::email_service::{compose, invitation_mail, verification_mail};
use crate::services::mail_message::build_message;
use crate::services::mailer::{ConsoleMailer, MemoryMailer, build_mailer, plain_body};
use crate::spec::Spec;
use crate::tests::casting::ordinary;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_email": html_body;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_email").docstring("Mail.").body(block![
        html_body_def(),
        test_a_header_cannot_be_smuggled_in(),
        test_any_name_of_an_organization_fits_into_a_subject(spec),
        test_both_bodies_carry_the_link(),
        test_html_is_escaped(spec),
        test_in_development_mail_goes_to_the_log(),
        test_tests_keep_their_mail()
    ])
}

fn html_body_def() -> FunctionDef {
    names!(message, body, content);
    def(html_body).params([param(message, EmailMessage)]).returns(str).body(block![
        docstring("Return what a message says as HTML."),
        assign(body, py!(message.get_body(("html",)))),
        assert_(py!(body != None)),
        ann_assign(content, str, py!(body.get_content())),
        return_(content)
    ])
}

fn test_a_header_cannot_be_smuggled_in() -> FunctionDef {
    names!(settings);
    def("test_a_header_cannot_be_smuggled_in")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            with(
                py!(pytest.raises(ValueError, r#match = "linefeed")),
                [do_(py!(build_message(
                    compose("ada@example.com\nBcc: eve@example.com", "subject", "text"),
                    settings
                )))]
            ),
            with(
                py!(pytest.raises(ValueError, r#match = "linefeed")),
                [do_(py!(build_message(
                    compose("ada@example.com", "subject\nBcc: eve@example.com", "text"),
                    settings
                )))]
            )
        ])
}

fn test_any_name_of_an_organization_fits_into_a_subject(spec: &Spec) -> FunctionDef {
    let member = role(ordinary(spec));
    names!(name, settings, invitation, mail, message);
    def("test_any_name_of_an_organization_fits_into_a_subject")
        .decorator(py!(pytest
            .mark
            .parametrize("name", ["two\nlines", "Bcc: x\r\n\r\nbody", "ä" * 120, "a\tb"])))
        .params([param(name, str), param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(invitation, py!(Invitation(email = "bob@example.com", role = member))),
            assign(mail, py!(invitation_mail(invitation, Organization(name = name), "the-token"))),
            assign(message, py!(build_message(mail, settings))),
            assert_(py!(in_!(" ".join(name.split()), message["Subject"]))),
            assert_(py!(message["Bcc"] == None)),
            assert_(py!(plain_body(message).split()[-1] == "the-token"))
        ])
}

fn test_both_bodies_carry_the_link() -> FunctionDef {
    names!(settings, message, link);
    def("test_both_bodies_carry_the_link").params([param(settings, Settings)]).returns(none()).body(
        block![
            assign(
                message,
                py!(build_message(verification_mail("ada@example.com", "t-1"), settings))
            ),
            assign(link, py!(f!("{}/verify-email#token=t-1", settings.frontend_url))),
            assert_(py!(in_!(f!(": {}\n", link), plain_body(message)))),
            assert_(py!(in_!(f!("<a href=\"{}\"", link), html_body(message))))
        ],
    )
}

fn test_html_is_escaped(spec: &Spec) -> FunctionDef {
    let member = role(ordinary(spec));
    names!(settings, invitation, organization, mail, body);
    def("test_html_is_escaped").params([param(settings, Settings)]).returns(none()).body(block![
        assign(invitation, py!(Invitation(email = "bob@example.com", role = member))),
        assign(organization, py!(Organization(name = "<script>alert('x')</script> & Co"))),
        assign(mail, py!(invitation_mail(invitation, organization, "\"><img src=x>"))),
        assign(body, py!(html_body(build_message(mail, settings)))),
        assert_(py!(not_in!("<script", body))),
        assert_(py!(not_in!("<img", body))),
        assert_(py!(in_!("&lt;script&gt;", body))),
        assert_(py!(in_!("&amp; Co", body)))
    ])
}

fn test_in_development_mail_goes_to_the_log() -> FunctionDef {
    names!(caplog, settings, mailer, mail);
    async_def("test_in_development_mail_goes_to_the_log")
        .params([param(caplog, py!(pytest.LogCaptureFixture))])
        .returns(none())
        .body(block![
            assign(settings, py!(Settings())),
            assign(mailer, py!(build_mailer(settings))),
            assert_(py!(isinstance(mailer, ConsoleMailer))),
            assign(mail, py!(compose("ada@example.com", "the subject", "the text"))),
            with(
                py!(caplog.at_level(logging.INFO, "app")),
                [do_(py!(mailer.send(build_message(mail, settings)).await))]
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
