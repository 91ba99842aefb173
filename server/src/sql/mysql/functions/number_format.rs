//! `FORMAT`: numbers with their digits in groups, as locales write them.

use crate::sql::mysql::functions::definition::{Call, Definition, Outcome};
use crate::sql::mysql::functions::number::{rounded_decimal, rounded_double};
use crate::sql::mysql::functions::returns;
use crate::sql::mysql::value::{Number, Value};

/// The functions of this file.
pub static FUNCTIONS: &[Definition] =
    &[Definition::new("format", "format(number, digits[, locale])", (2, 3), returns::text, format)];

/// How a locale writes numbers.
struct Locale {
    group: &'static str,
    point: &'static str,
    /// Digits of each group but the first one in front of the point, which has 3.
    others: usize,
}

/// Locales that MySQL does not know, and NULL, are `en_US`.
fn locale(name: &str) -> Locale {
    let (group, point, others) = match name {
        "ar_SA" | "sr_RS" => ("", ".", 3),
        "be_BY" | "da_DK" | "de_BE" | "de_DE" | "de_LU" | "es_AR" | "es_BO" | "es_CL" | "es_CO" | "es_EC" | "es_ES"
        | "es_PY" | "es_UY" | "es_VE" | "fo_FO" | "hu_HU" | "id_ID" | "is_IS" | "lt_LT" | "mn_MN" | "nb_NO"
        | "no_NO" | "ro_RO" | "ru_UA" | "sq_AL" | "tr_TR" | "uk_UA" | "vi_VN" => (".", ",", 3),
        "bg_BG" | "ca_ES" | "de_AT" | "el_GR" | "eu_ES" | "fr_BE" | "fr_CA" | "fr_CH" | "fr_FR" | "fr_LU" | "gl_ES"
        | "hr_HR" | "it_IT" | "nl_BE" | "nl_NL" | "pl_PL" | "pt_BR" | "pt_PT" | "sl_SI" => ("", ",", 3),
        "cs_CZ" | "es_CR" | "et_EE" | "fi_FI" | "lv_LV" | "mk_MK" | "ru_RU" | "sk_SK" | "sv_FI" | "sv_SE" => {
            (" ", ",", 3)
        }
        "de_CH" => ("'", ".", 3),
        "it_CH" | "rm_CH" => ("'", ",", 3),
        "en_IN" | "ta_IN" | "te_IN" => (",", ".", 2),
        _ => (",", ".", 3),
    };
    Locale { group, point, others }
}

fn format(call: &Call<'_>) -> Outcome {
    const DIGITS_MAX: i64 = 30;
    let digits = call.int(1)?.clamp(0, DIGITS_MAX);
    let places = usize::try_from(digits).unwrap_or(0);
    let plain = match call.value(0)? {
        value if value.is_textual() => padded(rounded_double(call.double(0)?, digits, false), places),
        _ => match call.number(0)? {
            Number::Exact(decimal) => {
                let rounded = rounded_decimal(decimal, digits, false);
                rounded.rescaled(u8::try_from(digits).unwrap_or(0)).unwrap_or(rounded).to_string()
            }
            Number::Double(double) => padded(rounded_double(double, digits, false), places),
        },
    };
    let name = if call.count() > 2 { call.any(2).to_text().unwrap_or_default() } else { "".into() };
    Ok(Value::text(grouped(&plain, &locale(&name))))
}

/// The digits that tell a double from all others, and zeros up to so many places.
fn padded(double: f64, places: usize) -> String {
    let shortest = double.to_string();
    let (whole, fraction) = shortest.split_once('.').unwrap_or((&shortest, ""));
    match fraction.len() {
        0 if places == 0 => shortest,
        shown if shown <= places => format!("{whole}.{fraction:0<places$}"),
        _ => format!("{double:.places$}"),
    }
}

fn grouped(plain: &str, locale: &Locale) -> String {
    let (sign, plain) = plain.strip_prefix('-').map_or(("", plain), |rest| ("-", rest));
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let mut grouped = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        let left = whole.len() - at;
        if at > 0 && left >= 3 && (left - 3).is_multiple_of(locale.others) {
            grouped.push_str(locale.group);
        }
        grouped.push(digit);
    }
    if !fraction.is_empty() {
        grouped.push_str(locale.point);
        grouped.push_str(fraction);
    }
    grouped
}
