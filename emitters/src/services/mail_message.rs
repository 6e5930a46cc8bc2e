//! `backend/app/services/mail_message.py`: from a mail to the message that travels: plain text and HTML that say the same.

use crate::core::html::{Element, render};
use crate::core::settings::Settings;
use crate::models::base::utcnow;
use crate::python::builtins::{isinstance, list, str, tuple};
use crate::python::standard::{Address, EmailMessage, Mapping, SMTP, format_datetime};
use crate::services::email_service::{Action, Mail, PRODUCT};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.mail_message": BUTTON, BODY, WITHOUT_LINK, build_message, link, plain_text, html,
        style;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.mail_message")
        .docstring(
            "From a mail to the message that travels: plain text and HTML that say the same.",
        )
        .body(block![
            assign(
                BUTTON,
                py!(dict!(
                    "display" => "inline-block",
                    "padding" => "10px 16px",
                    "border-radius" => "6px",
                    "background" => "#1f2937",
                    "color" => "#ffffff",
                    "text-decoration" => "none"
                )),
            ),
            assign(
                BODY,
                py!(dict!(
                    "font-family" => "sans-serif",
                    "line-height" => "1.5",
                    "color" => "#1f2937"
                )),
            ),
            assign(WITHOUT_LINK, "If the link does not open, use this code:"),
            build_message_def(),
            link_def(),
            plain_text_def(),
            html_def(),
            style_def()
        ])
}

fn build_message_def() -> FunctionDef {
    names!(mail, settings, message);
    def(build_message)
        .params([param(mail, Mail), param(settings, Settings)])
        .returns(EmailMessage)
        .body(block![
            docstring("Write the message; the library refuses a header with a line break."),
            assign(message, py!(EmailMessage(policy = SMTP))),
            assign(py!(message["From"]), py!(Address(PRODUCT, addr_spec = settings.email_sender))),
            assign(py!(message["To"]), py!(mail.recipient)),
            assign(py!(message["Subject"]), py!(mail.subject)),
            assign(py!(message["Date"]), py!(format_datetime(utcnow()))),
            assign(py!(message["Auto-Submitted"]), "auto-generated"),
            do_(py!(message.set_content(plain_text(mail, settings)))),
            do_(py!(message.add_alternative(html(mail, settings), subtype = "html"))),
            return_(message)
        ])
}

fn link_def() -> FunctionDef {
    names!(action, settings);
    def(link).params([param(action, Action), param(settings, Settings)]).returns(str).body(block![
        docstring("Return the address of an action; what follows the # never reaches a server."),
        return_(py!(f!("{}{}#token={}", settings.frontend_url, action.path, action.token)))
    ])
}

fn plain_text_def() -> FunctionDef {
    names!(mail, settings, paragraphs, part, address);
    def(plain_text).params([param(mail, Mail), param(settings, Settings)]).returns(str).body(
        block![
            docstring("Write a mail as plain text."),
            ann_assign(paragraphs, py!(list[str]), py!([])),
            for_(
                part,
                py!(mail.parts),
                [if_(py!(isinstance(part, str)), [do_(py!(paragraphs.append(part)))]).else_(
                    block![
                        assign(address, py!(link(part, settings))),
                        aug_assign(
                            paragraphs,
                            Operator::Add,
                            py!([f!("{}: {}", part.label, address), WITHOUT_LINK, part.token])
                        )
                    ]
                )]
            ),
            return_(py!("\n\n".join(paragraphs) + "\n"))
        ],
    )
}

fn html_def() -> FunctionDef {
    names!(mail, settings, content, part, button, body, head);
    def(html).params([param(mail, Mail), param(settings, Settings)]).returns(str).body(block![
        docstring("Write a mail as HTML."),
        ann_assign(content, py!(list[Element]), py!([])),
        for_(
            part,
            py!(mail.parts),
            [if_(py!(isinstance(part, str)), [do_(py!(content.append(Element("p", (part,)))))])
                .else_(block![
                    assign(
                        button,
                        py!(dict!("href" => link(part, settings), "style" => style(BUTTON)))
                    ),
                    aug_assign(
                        content,
                        Operator::Add,
                        py!([
                            Element("p", (Element("a", (part.label,), button),)),
                            Element("p", (WITHOUT_LINK,)),
                            Element("p", (Element("code", (part.token,)),))
                        ])
                    )
                ])]
        ),
        assign(body, py!(Element("body", tuple(content), dict!("style" => style(BODY))))),
        assign(head, py!(Element("head", (Element("title", (mail.subject,)),)))),
        return_(py!(
            "<!doctype html>\n" + render(Element("html", (head, body), dict!("lang" => "en")))
        ))
    ])
}

fn style_def() -> FunctionDef {
    names!(declarations);
    def(style).params([param(declarations, py!(Mapping[(str, str)]))]).returns(str).body(block![
        docstring("Write a style: mail programs read no style sheets."),
        return_(py!("; ".join(
            generator!(f!("{}: {}", name, value) for (name, value) in declarations.items())
        )))
    ])
}
