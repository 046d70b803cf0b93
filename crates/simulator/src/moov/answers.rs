//! Writing the answers.

use super::envelope::Request;
use crate::model::{Operation, State};
use crate::wire::escape;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const NAMESPACE: &str = "http://api.merchant.tlc.com/";

/// A code with its description and both ids.
#[derive(Default)]
pub(super) struct Result3 {
    code: i32,
    description: String,
    reference: String,
    transaction: String,
    balances: Option<(i64, i64)>,
}

fn description(code: i32) -> &'static str {
    match code {
        0 => "SUCCESS",
        100 => "PENDING",
        1 | 2 | 4 => "NOT ALLOWED",
        3 | 555 => "WRONG NUMBER",
        6 | 7 | 9 => "DESTINATION CANNOT RECEIVE",
        10 => "INSUFFICIENT BALANCE",
        11 => "AMOUNT TOO LOW",
        12 => "AMOUNT TOO HIGH",
        91 => "MISSING PARAMETERS",
        92 => "USSD TIMEOUT",
        94 => "TRANSACTION NOT FOUND",
        95 => "FAILED",
        98 => "AUTHENTICATION FAILED",
        _ => "INTERNAL ERROR",
    }
}

impl Result3 {
    pub(super) fn code(code: i32) -> Self {
        Self::text(code, description(code))
    }

    pub(super) fn text(code: i32, text: &str) -> Self {
        Self { code, description: text.to_owned(), ..Self::default() }
    }

    pub(super) fn of_operation(op: &Operation) -> Self {
        let code = match op.state {
            State::Pending => 100,
            State::Succeeded | State::Reversed => 0,
            State::Failed | State::Expired => op.reason.as_deref().and_then(|r| r.parse().ok()).unwrap_or(95),
        };
        Self { reference: op.id.clone(), transaction: op.reference.clone(), ..Self::code(code) }
    }

    pub(super) fn with_balances(mut self, before: i64, after: i64) -> Self {
        self.balances = Some((before, after));
        self
    }
}

fn xml(status: StatusCode, body: &str) -> Response {
    let text = format!("<soap:Envelope xmlns:soap=\"{SOAP}\"><soap:Body>{body}</soap:Body></soap:Envelope>");
    (status, [(header::CONTENT_TYPE, "text/xml;charset=UTF-8")], text).into_response()
}

/// The answer to a request; the element's name depends on the operation.
pub(super) fn of(request: &Request, result: &Result3) -> Response {
    let name = escape(&request.operation);
    let (description, reference, transaction) =
        (escape(&result.description), escape(&result.reference), escape(&result.transaction));
    let code = result.code;
    let inner = match request.operation.as_str() {
        "transferFlooz" | "cashintrans" | "airtimetrans" => {
            let balances = result.balances.map_or(String::new(), |(before, after)| {
                format!("<senderbalanceafter>{after}</senderbalanceafter><senderbalancebefore>{before}</senderbalancebefore>")
            });
            format!(
                "<return><message>{description}</message><referenceid>{transaction}</referenceid>{balances}<status>{code}</status><transactionid>{reference}</transactionid></return>"
            )
        }
        "getBalance" | "getMobileAccountStatus" => {
            format!(
                "<response><balance>{description}</balance><message>{description}</message><status>{code}</status></response>"
            )
        }
        "getTransactionStatus" => {
            format!(
                "<response><description>{description}</description><referenceid>{reference}</referenceid><status>{code}</status><transid>{transaction}</transid></response>"
            )
        }
        _ => format!(
            "<result><description>{description}</description><referenceid>{reference}</referenceid><status>{code}</status><transid>{transaction}</transid></result>"
        ),
    };
    xml(StatusCode::OK, &format!("<ns2:{name}Response xmlns:ns2=\"{NAMESPACE}\">{inner}</ns2:{name}Response>"))
}

/// A SOAP fault.
pub(super) fn fault(text: &str) -> Response {
    let fault = format!(
        "<soap:Fault><faultcode>soap:Client</faultcode><faultstring>{}</faultstring></soap:Fault>",
        escape(text)
    );
    xml(StatusCode::INTERNAL_SERVER_ERROR, &fault)
}

/// `GET ...?wsdl`: enough to see that somebody is there.
pub(super) async fn wsdl() -> Response {
    let text = format!(
        "<wsdl:definitions xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\" name=\"UssdPush\" targetNamespace=\"{NAMESPACE}\"/>"
    );
    ([(header::CONTENT_TYPE, "text/xml;charset=UTF-8")], text).into_response()
}
