//! Every function and operator of the list in MySQL 8.4's reference manual, as data: one line each.
//!
//! A form is what is written, with the letter of a [slot](super::slots) for each argument. Where MariaDB has other words for
//! the same, they stand behind ` => `, with the same arguments in the same order.

/// Where a function can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Anywhere.
    Scalar,
    /// Over a group; most can have a window, too.
    Aggregate,
    /// Over a window.
    Window,
    /// Only in what `select` makes.
    Statement,
    /// It is not judged, for this reason.
    Out(&'static str),
}

/// One of them.
#[derive(Debug)]
pub struct Function {
    /// Its name in the manual.
    pub name: &'static str,
    /// Where it can stand.
    pub class: Class,
    /// The letter of the slot that its result fits into.
    pub gives: char,
    /// How it is written.
    pub forms: &'static [&'static str],
}

const fn f(name: &'static str, gives: char, forms: &'static [&'static str]) -> Function {
    Function { name, class: Class::Scalar, gives, forms }
}

const fn agg(name: &'static str, gives: char, forms: &'static [&'static str]) -> Function {
    Function { name, class: Class::Aggregate, gives, forms }
}

const fn win(name: &'static str, gives: char, forms: &'static [&'static str]) -> Function {
    Function { name, class: Class::Window, gives, forms }
}

const fn out(name: &'static str, why: &'static str) -> Function {
    Function { name, class: Class::Out(why), gives: 'x', forms: &[] }
}

const fn statement(name: &'static str) -> Function {
    Function { name, class: Class::Statement, gives: 'x', forms: &[] }
}

/// The list.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    // Operators.
    f("+", 'n', &["({n} + {n})"]),
    f("-", 'n', &["({n} - {n})"]),
    f("*", 'n', &["({n} * {n})"]),
    f("/", 'n', &["({n} / {n})"]),
    f("DIV", 'n', &["({n} DIV {n})"]),
    f("%", 'n', &["({n} % {n})", "({n} MOD {n})"]),
    f("- (unary)", 'n', &["(-({n}))"]),
    f("&", 'n', &["({n} & {n})"]),
    f("|", 'n', &["({n} | {n})"]),
    f("^", 'n', &["({n} ^ {n})"]),
    f("~", 'n', &["(~({n}))"]),
    f("<<", 'n', &["({n} << {i})"]),
    f(">>", 'n', &["({n} >> {i})"]),
    f("=", 'b', &["({x} = {x})", "({n} = {n})", "({t} = {t})", "({T} = {T})", "({n} = {c})"]),
    f("<>", 'b', &["({n} <> {n})", "({t} <> {t})", "({T} != {T})"]),
    f("<", 'b', &["({n} < {n})", "({t} < {t})", "({T} < {T})", "({x} < {x})"]),
    f("<=", 'b', &["({n} <= {n})", "({t} <= {t})", "({T} <= {T})"]),
    f(">", 'b', &["({n} > {n})", "({t} > {t})", "({T} > {T})", "({n} > {c})"]),
    f(">=", 'b', &["({n} >= {n})", "({t} >= {t})", "({T} >= {T})"]),
    f("<=>", 'b', &["({x} <=> {x})", "({n} <=> {n})", "({t} <=> {t})"]),
    f("BETWEEN", 'b', &["({n} BETWEEN {n} AND {n})", "({t} BETWEEN {t} AND {t})", "({T} BETWEEN {T} AND {T})"]),
    f("NOT BETWEEN", 'b', &["({n} NOT BETWEEN {n} AND {n})", "({t} NOT BETWEEN {t} AND {t})"]),
    f("IN", 'b', &["({n} IN ({n}, {n}))", "({t} IN ({t}, {t}, {t}))", "({x} IN ({x}, {x}))"]),
    f("row IN", 'b', &["(({i}, {t}) IN (({i}, {t}), ({i}, {t})))"]),
    f("NOT IN", 'b', &["({n} NOT IN ({n}, {n}))", "({t} NOT IN ({t}, NULL))", "({x} NOT IN ({x}, {x}))"]),
    f("IS", 'b', &["({b} IS TRUE)", "({b} IS FALSE)", "({b} IS UNKNOWN)", "({n} IS TRUE)", "({c} IS TRUE)"]),
    f("IS NOT", 'b', &["({b} IS NOT TRUE)", "({b} IS NOT FALSE)", "({b} IS NOT UNKNOWN)"]),
    f("IS NULL", 'b', &["({x} IS NULL)"]),
    f("IS NOT NULL", 'b', &["({x} IS NOT NULL)"]),
    f("LIKE", 'b', &["({t} LIKE {l})", "({t} LIKE {t})", "({n} LIKE {l})", "({t} LIKE {l} ESCAPE '|')"]),
    f("NOT LIKE", 'b', &["({t} NOT LIKE {l})"]),
    f("REGEXP", 'b', &["({t} REGEXP {r})", "({t} RLIKE {r})"]),
    f("NOT REGEXP", 'b', &["({t} NOT REGEXP {r})"]),
    f("NOT", 'b', &["(NOT {b})", "(NOT {n})"]),
    f("!", 'b', &["(!{b})", "(!{n})"]),
    f("AND", 'b', &["({b} AND {b})", "({b} && {b})", "({n} AND {b})"]),
    f("OR", 'b', &["({b} OR {b})", "({n} OR {b})"]),
    f("XOR", 'b', &["({b} XOR {b})", "({n} XOR {b})"]),
    f("||", 't', &["({t} || {t})", "({t} || {n})"]),
    f("hexadecimal literal", 'n', &["(0x1F + {n})", "(x'1F' + {n}) => (0x1F + {n})", "({n} = 0x41)", "({n} | 0x0F)", "CONCAT({t}, 0x41)"]),
    f("->", 'j', &["({j} -> {p}) => JSON_EXTRACT({j}, {p})"]),
    f("->>", 't', &["({j} ->> {p}) => JSON_UNQUOTE(JSON_EXTRACT({j}, {p}))"]),
    f("SOUNDS LIKE", 'b', &["({t} SOUNDS LIKE {t})"]),
    f("COLLATE", 't', &["({t} COLLATE utf8mb4_bin)"]),
    f("BINARY", 'y', &["(BINARY {t})"]),
    f("INTERVAL +", 'T', &["({T} + INTERVAL {i} {u})", "({T} - INTERVAL {i} {u})", "(INTERVAL {i} {u} + {T})"]),
    f("INTERVAL composite", 'T', &["({T} + INTERVAL '1:30' {U})", "({T} - INTERVAL '1 2:3:4' {U})"]),
    out(":=", "assigns a variable"),
    out("= (assignment)", "SET and UPDATE are not about values"),
    f("MEMBER OF", 'b', &["({n} MEMBER OF ({j})) => (JSON_CONTAINS({j}, CAST({n} AS CHAR)))"]),
    // Flow and comparison.
    f("CASE", 'x', &["CASE WHEN {b} THEN {n} ELSE {n} END", "CASE WHEN {b} THEN {t} WHEN {b} THEN {t} END", "CASE {n} WHEN {n} THEN {t} ELSE {t} END", "CASE WHEN {b} THEN {x} ELSE {x} END", "CASE {t} WHEN {t} THEN {n} END"]),
    f("IF", 'x', &["IF({b}, {n}, {n})", "IF({b}, {t}, {t})", "IF({b}, {x}, {x})", "IF({n}, {T}, {T})"]),
    f("IFNULL", 'x', &["IFNULL({n}, {n})", "IFNULL({t}, {t})", "IFNULL({x}, {x})"]),
    f("NULLIF", 'x', &["NULLIF({n}, {n})", "NULLIF({t}, {t})", "NULLIF({x}, {x})"]),
    f("ISNULL", 'b', &["ISNULL({x})"]),
    f("COALESCE", 'x', &["COALESCE({n}, {n})", "COALESCE({t}, {t}, {t})", "COALESCE({x}, {x})", "COALESCE({x})"]),
    f("GREATEST", 'x', &["GREATEST({n}, {n})", "GREATEST({t}, {t}, {t})", "GREATEST({x}, {x})", "GREATEST({T}, {T})"]),
    f("LEAST", 'x', &["LEAST({n}, {n})", "LEAST({t}, {t}, {t})", "LEAST({x}, {x})", "LEAST({T}, {T})"]),
    f("INTERVAL", 'i', &["INTERVAL({n}, {n}, {n})", "INTERVAL({i}, 1, 2, 3, 4)"]),
    f("STRCMP", 'i', &["STRCMP({t}, {t})"]),
    // Casts.
    f("CAST", 'x', &["CAST({x} AS SIGNED)", "CAST({c} AS SIGNED)", "CAST({n} AS UNSIGNED)", "CAST({c} AS UNSIGNED)", "CAST({x} AS CHAR)", "CAST({n} AS CHAR)", "CAST({n} AS DECIMAL(20,3))", "CAST({c} AS DECIMAL(10,2))", "CAST({x} AS DOUBLE)", "CAST({c} AS DOUBLE)", "CAST({T} AS DATE)", "CAST({T} AS DATETIME)", "CAST({T} AS DATETIME(6))", "CAST({x} AS DATETIME)", "CAST({T} AS TIME)", "CAST({t} AS CHAR(2))", "CAST({t} AS BINARY)", "CAST({n} AS DECIMAL)"]),
    f("CONVERT", 'x', &["CONVERT({c}, SIGNED)", "CONVERT({n}, CHAR)", "CONVERT({t} USING utf8mb4) => CONVERT({t} USING utf8mb4) COLLATE utf8mb4_nopad_bin", "CONVERT({n}, DECIMAL(10,2))"]),
    // Numbers.
    f("ABS", 'n', &["ABS({n})"]),
    f("ACOS", 'd', &["ACOS({d})"]),
    f("ASIN", 'd', &["ASIN({d})"]),
    f("ATAN", 'd', &["ATAN({d})", "ATAN({d}, {d})"]),
    f("ATAN2", 'd', &["ATAN2({d}, {d})"]),
    f("BIT_COUNT", 'i', &["BIT_COUNT({n})"]),
    f("CEIL", 'n', &["CEIL({n})", "CEILING({n})"]),
    f("CONV", 't', &["CONV({n}, {e}, {e})", "CONV({h}, 16, 10)", "CONV({c}, 10, 2)"]),
    f("COS", 'd', &["COS({d})"]),
    f("COT", 'd', &["COT({d})"]),
    f("CRC32", 'n', &["CRC32({t})"]),
    f("DEGREES", 'd', &["DEGREES({d})"]),
    f("EXP", 'd', &["EXP({d})"]),
    f("FLOOR", 'n', &["FLOOR({n})"]),
    f("LN", 'd', &["LN({n})"]),
    f("LOG", 'd', &["LOG({n})", "LOG({n}, {n})"]),
    f("LOG10", 'd', &["LOG10({n})"]),
    f("LOG2", 'd', &["LOG2({n})"]),
    f("MOD", 'n', &["MOD({n}, {n})"]),
    f("PI", 'd', &["PI()"]),
    f("POW", 'd', &["POW({n}, {i})", "POWER({n}, {n})"]),
    f("RADIANS", 'd', &["RADIANS({d})"]),
    f("RAND", 'd', &["(RAND() < 1)", "(RAND() >= 0)"]),
    f("ROUND", 'n', &["ROUND({n})", "ROUND({n}, {i})"]),
    f("SIGN", 'i', &["SIGN({n})"]),
    f("SIN", 'd', &["SIN({d})"]),
    f("SQRT", 'd', &["SQRT({n})"]),
    f("TAN", 'd', &["TAN({d})"]),
    f("TRUNCATE", 'n', &["TRUNCATE({n}, {i})"]),
    // Text.
    f("ASCII", 'i', &["ASCII({t})"]),
    f("BIN", 't', &["BIN({n})"]),
    f("BIT_LENGTH", 'i', &["BIT_LENGTH({t})"]),
    f("CHAR", 'y', &["CHAR({i})", "CHAR(65, {i}, 66)", "CHAR(77, 121 USING utf8mb4)"]),
    f("CHAR_LENGTH", 'i', &["CHAR_LENGTH({t})", "CHARACTER_LENGTH({t})", "CHAR_LENGTH({x})"]),
    f("CONCAT", 't', &["CONCAT({t}, {t})", "CONCAT({t}, {n})", "CONCAT({x}, {x}, {x})", "CONCAT({n})", "CONCAT({T}, {t})"]),
    f("CONCAT_WS", 't', &["CONCAT_WS({t}, {t}, {t})", "CONCAT_WS({t}, {x}, {x}, {x})"]),
    f("ELT", 't', &["ELT({i}, {t}, {t})", "ELT({n}, {x}, {x})"]),
    f("EXPORT_SET", 't', &["EXPORT_SET({i}, {t}, {t})", "EXPORT_SET({n}, 'Y', 'N', ',', {i})"]),
    f("FIELD", 'i', &["FIELD({t}, {t}, {t})", "FIELD({n}, {n}, {n})", "FIELD({x}, {x}, {x})"]),
    f("FIND_IN_SET", 'i', &["FIND_IN_SET({t}, {w})"]),
    f("FORMAT", 't', &["FORMAT({n}, {9})", "FORMAT({n}, {9}, {v})"]),
    f("FROM_BASE64", 'y', &["FROM_BASE64(TO_BASE64({t}))", "FROM_BASE64({t})"]),
    f("HEX", 't', &["HEX({t})", "HEX({n})", "HEX({y})"]),
    f("INSERT", 't', &["INSERT({t}, {i}, {i}, {t})"]),
    f("INSTR", 'i', &["INSTR({t}, {t})"]),
    f("LOWER", 't', &["LOWER({t})", "LCASE({t})"]),
    f("LEFT", 't', &["LEFT({t}, {i})", "LEFT({n}, {i})"]),
    f("LENGTH", 'i', &["LENGTH({t})", "OCTET_LENGTH({t})", "LENGTH({x})"]),
    f("LOCATE", 'i', &["LOCATE({t}, {t})", "LOCATE({t}, {t}, {i})"]),
    f("LPAD", 't', &["LPAD({t}, {i}, {t})", "LPAD({n}, {i}, {t})"]),
    f("LTRIM", 't', &["LTRIM({t})"]),
    f("MAKE_SET", 't', &["MAKE_SET({i}, {t}, {t}, {t})"]),
    f("MID", 't', &["MID({t}, {i}, {i})"]),
    f("OCT", 't', &["OCT({n})"]),
    f("ORD", 'n', &["ORD({t})"]),
    f("POSITION", 'i', &["POSITION({t} IN {t})"]),
    f("QUOTE", 't', &["QUOTE({t})"]),
    f("REGEXP_INSTR", 'i', &["REGEXP_INSTR({t}, {r})"]),
    f("REGEXP_LIKE", 'b', &["REGEXP_LIKE({t}, {r}) => ({t} REGEXP {r})"]),
    f("REGEXP_REPLACE", 't', &["REGEXP_REPLACE({t}, {r}, {t})", "REGEXP_REPLACE({t}, '(a)(b)', '<$2$1>') => REGEXP_REPLACE({t}, '(a)(b)', '<\\\\2\\\\1>')"]),
    f("REGEXP_SUBSTR", 't', &["REGEXP_SUBSTR({t}, {r}) => NULLIF(REGEXP_SUBSTR({t}, {r}), '')"]),
    f("REPEAT", 't', &["REPEAT({t}, {i})"]),
    f("REPLACE", 't', &["REPLACE({t}, {t}, {t})"]),
    f("REVERSE", 't', &["REVERSE({t})", "REVERSE({n})"]),
    f("RIGHT", 't', &["RIGHT({t}, {i})"]),
    f("RPAD", 't', &["RPAD({t}, {i}, {t})"]),
    f("RTRIM", 't', &["RTRIM({t})"]),
    f("SOUNDEX", 't', &["SOUNDEX({t})"]),
    f("SPACE", 't', &["SPACE({i})"]),
    f("SUBSTRING", 't', &["SUBSTRING({t}, {i})", "SUBSTR({t}, {i}, {i})", "SUBSTRING({t} FROM {i})", "SUBSTRING({t} FROM {i} FOR {i})"]),
    f("SUBSTRING_INDEX", 't', &["SUBSTRING_INDEX({t}, {t}, {i})"]),
    f("TO_BASE64", 't', &["TO_BASE64({t})"]),
    f("TRIM", 't', &["TRIM({t})", "TRIM(BOTH {t} FROM {t})", "TRIM(LEADING {t} FROM {t})", "TRIM(TRAILING {t} FROM {t})", "TRIM({t} FROM {t})"]),
    f("UNHEX", 'y', &["UNHEX({h})", "UNHEX(HEX({t}))"]),
    f("UPPER", 't', &["UPPER({t})", "UCASE({t})"]),
    f("WEIGHT_STRING", 'y', &["HEX(WEIGHT_STRING({t}))"]),
    f("CHARSET", 't', &["CHARSET({t})"]),
    out("COLLATION", "names a collation: the judge's MariaDB has one that MySQL lacks"),
    f("COERCIBILITY", 'i', &["COERCIBILITY({t})"]),
    // Time.
    f("ADDDATE", 'T', &["ADDDATE({T}, {i})", "ADDDATE({T}, INTERVAL {i} {u})"]),
    f("ADDTIME", 'H', &["ADDTIME({T}, {H})", "ADDTIME({H}, {H})"]),
    f("CONVERT_TZ", 'T', &["CONVERT_TZ({T}, {z}, {z})"]),
    f("CURDATE", 'i', &["LENGTH(CURDATE())", "(CURRENT_DATE = CURRENT_DATE())", "(CURDATE() > '2020-01-01')"]),
    f("CURTIME", 'i', &["LENGTH(CURTIME())", "LENGTH(CURRENT_TIME)", "LENGTH(CURRENT_TIME(3))"]),
    f("NOW", 'i', &["LENGTH(NOW())", "LENGTH(NOW(3))", "(NOW() > '2020-01-01')", "(NOW() = CURRENT_TIMESTAMP)", "(LOCALTIME() = LOCALTIMESTAMP)", "TIMESTAMPDIFF(DAY, NOW(), CURRENT_TIMESTAMP(6))"]),
    f("SYSDATE", 'i', &["(SYSDATE() > '2020-01-01')"]),
    f("UTC_DATE", 'i', &["LENGTH(UTC_DATE())", "(UTC_DATE() = CURDATE())"]),
    f("UTC_TIME", 'i', &["LENGTH(UTC_TIME())"]),
    f("UTC_TIMESTAMP", 'i', &["(UTC_TIMESTAMP() = NOW())", "LENGTH(UTC_TIMESTAMP)"]),
    f("DATE", 'D', &["DATE({T})"]),
    f("DATE_ADD", 'T', &["DATE_ADD({T}, INTERVAL {i} {u})", "DATE_ADD({D}, INTERVAL {n} {u})", "DATE_ADD({T}, INTERVAL '1:30' {U})"]),
    f("DATE_SUB", 'T', &["DATE_SUB({T}, INTERVAL {i} {u})"]),
    f("DATE_FORMAT", 't', &["DATE_FORMAT({T}, {f})"]),
    f("DATEDIFF", 'i', &["DATEDIFF({T}, {T})"]),
    f("DAY", 'i', &["DAY({T})", "DAYOFMONTH({T})"]),
    f("DAYNAME", 't', &["DAYNAME({T})"]),
    f("DAYOFWEEK", 'i', &["DAYOFWEEK({T})"]),
    f("DAYOFYEAR", 'i', &["DAYOFYEAR({T})"]),
    f("EXTRACT", 'i', &["EXTRACT({u} FROM {T})", "EXTRACT({U} FROM {T})"]),
    f("FROM_DAYS", 'D', &["FROM_DAYS({n})", "FROM_DAYS(739310)"]),
    f("FROM_UNIXTIME", 'T', &["FROM_UNIXTIME({n})", "FROM_UNIXTIME(1700000000.5)", "FROM_UNIXTIME({i}, {f})"]),
    f("GET_FORMAT", 't', &["GET_FORMAT(DATE, 'USA')", "GET_FORMAT(DATETIME, 'ISO')", "GET_FORMAT(TIME, 'EUR')"]),
    f("HOUR", 'i', &["HOUR({T})", "HOUR({H})"]),
    f("LAST_DAY", 'D', &["LAST_DAY({T})"]),
    f("MAKEDATE", 'D', &["MAKEDATE(2024, {n})", "MAKEDATE({i}, {i})"]),
    f("MAKETIME", 'H', &["MAKETIME({i}, {i}, {i})", "MAKETIME({n}, 10, 1.5)"]),
    f("MICROSECOND", 'i', &["MICROSECOND({T})", "MICROSECOND({H})"]),
    f("MINUTE", 'i', &["MINUTE({T})", "MINUTE({H})"]),
    f("MONTH", 'i', &["MONTH({T})"]),
    f("MONTHNAME", 't', &["MONTHNAME({T})"]),
    f("PERIOD_ADD", 'i', &["PERIOD_ADD(202401, {i})", "PERIOD_ADD({n}, {i})"]),
    f("PERIOD_DIFF", 'i', &["PERIOD_DIFF(202401, 202312)", "PERIOD_DIFF({i}, {i})"]),
    f("QUARTER", 'i', &["QUARTER({T})"]),
    f("SEC_TO_TIME", 'H', &["SEC_TO_TIME({n})"]),
    f("SECOND", 'i', &["SECOND({T})", "SECOND({H})"]),
    f("STR_TO_DATE", 'T', &["STR_TO_DATE({T}, '%Y-%m-%d %H:%i:%s')", "STR_TO_DATE({D}, '%Y-%m-%d')", "STR_TO_DATE({T}, {f})", "STR_TO_DATE('01,5,2013', '%d,%m,%Y')", "STR_TO_DATE({H}, '%H:%i:%s')", "STR_TO_DATE('May 1, 2013', '%M %d,%Y')"]),
    f("SUBDATE", 'T', &["SUBDATE({T}, {i})", "SUBDATE({T}, INTERVAL {i} {u})"]),
    f("SUBTIME", 'H', &["SUBTIME({T}, {H})", "SUBTIME({H}, {H})"]),
    f("TIME", 'H', &["TIME({T})", "TIME({H})"]),
    f("TIME_FORMAT", 't', &["TIME_FORMAT({H}, '%H %k %h %i %s %f %p')", "TIME_FORMAT({T}, '%r %T')"]),
    f("TIME_TO_SEC", 'i', &["TIME_TO_SEC({H}) => CAST(TRUNCATE(TIME_TO_SEC({H}), 0) AS SIGNED)", "TIME_TO_SEC({T}) => CAST(TRUNCATE(TIME_TO_SEC({T}), 0) AS SIGNED)"]),
    f("TIMEDIFF", 'H', &["TIMEDIFF({T}, {T})", "TIMEDIFF({H}, {H})"]),
    f("TIMESTAMP", 'T', &["TIMESTAMP({T})", "TIMESTAMP({T}, {H})"]),
    f("TIMESTAMPADD", 'T', &["TIMESTAMPADD({u}, {i}, {T})"]),
    f("TIMESTAMPDIFF", 'i', &["TIMESTAMPDIFF({u}, {T}, {T})"]),
    f("TO_DAYS", 'i', &["TO_DAYS({T})"]),
    f("TO_SECONDS", 'n', &["TO_SECONDS({T})"]),
    f("UNIX_TIMESTAMP", 'n', &["UNIX_TIMESTAMP({T})", "(UNIX_TIMESTAMP() > 1700000000)"]),
    f("WEEK", 'i', &["WEEK({T})", "WEEK({T}, {q})"]),
    f("WEEKDAY", 'i', &["WEEKDAY({T})"]),
    f("WEEKOFYEAR", 'i', &["WEEKOFYEAR({T})"]),
    f("YEAR", 'i', &["YEAR({T})"]),
    f("YEARWEEK", 'i', &["YEARWEEK({T})", "YEARWEEK({T}, {q})"]),
    // JSON.
    f("JSON_ARRAY", 'j', &["JSON_ARRAY({n}, {t})", "JSON_ARRAY()", "JSON_ARRAY({x})"]),
    f("JSON_ARRAY_APPEND", 'j', &["JSON_ARRAY_APPEND({j}, {s}, {n})"]),
    f("JSON_ARRAY_INSERT", 'j', &["JSON_ARRAY_INSERT({j}, '$[0]', {t})"]),
    f("JSON_CONTAINS", 'b', &["JSON_CONTAINS({j}, {j})", "JSON_CONTAINS({j}, '1', {s})"]),
    f("JSON_CONTAINS_PATH", 'b', &["JSON_CONTAINS_PATH({j}, {o}, {p})", "JSON_CONTAINS_PATH({j}, 'all', {p}, {p})"]),
    f("JSON_DEPTH", 'i', &["JSON_DEPTH({j})"]),
    f("JSON_EXTRACT", 'j', &["JSON_EXTRACT({j}, {p})", "JSON_EXTRACT({j}, {p}, {p})"]),
    f("JSON path **", 'j', &["JSON_EXTRACT({j}, '$**.b')", "JSON_EXTRACT({j}, {p}, '$**.a')"]),
    f("JSON path last", 'j', &["JSON_EXTRACT({j}, '$.b[last]')", "JSON_EXTRACT({j}, '$.b[last-1]')", "JSON_EXTRACT({j}, '$[last]')"]),
    f("JSON_INSERT", 'j', &["JSON_INSERT({j}, {s}, {n})"]),
    f("JSON_KEYS", 'j', &["JSON_KEYS({j})", "JSON_KEYS({j}, {s})"]),
    f("JSON_LENGTH", 'i', &["JSON_LENGTH({j})", "JSON_LENGTH({j}, {s})"]),
    out("JSON_MERGE", "deprecated: JSON_MERGE_PRESERVE by another name"),
    f("JSON_MERGE_PATCH", 'j', &["JSON_MERGE_PATCH({j}, {j})"]),
    f("JSON_MERGE_PRESERVE", 'j', &["JSON_MERGE_PRESERVE({j}, {j})"]),
    f("JSON_OBJECT", 'j', &["JSON_OBJECT('a', {n}, 'b', {t})", "JSON_OBJECT({t}, {x})"]),
    f("JSON_OVERLAPS", 'b', &["JSON_OVERLAPS({j}, {j})"]),
    f("JSON_PRETTY", 't', &["JSON_PRETTY({j})"]),
    f("JSON_QUOTE", 'j', &["JSON_QUOTE({t})"]),
    f("JSON_REMOVE", 'j', &["JSON_REMOVE({j}, {s})"]),
    f("JSON_REPLACE", 'j', &["JSON_REPLACE({j}, {s}, {n})"]),
    out("JSON_SCHEMA_VALID", "MariaDB 10.11 lacks it"),
    out("JSON_SCHEMA_VALIDATION_REPORT", "MariaDB lacks it"),
    f("JSON_SEARCH", 't', &["JSON_SEARCH({j}, {o}, 'two')", "JSON_SEARCH({j}, 'one', {l})"]),
    f("JSON_SET", 'j', &["JSON_SET({j}, {s}, {n})", "JSON_SET({j}, {s}, {t})"]),
    out("JSON_STORAGE_FREE", "sizes of MySQL's own format"),
    out("JSON_STORAGE_SIZE", "sizes of MySQL's own format"),
    statement("JSON_TABLE"),
    f("JSON_TYPE", 't', &["JSON_TYPE({j})"]),
    f("JSON_UNQUOTE", 't', &["JSON_UNQUOTE({j})", "JSON_UNQUOTE(JSON_EXTRACT({j}, {p}))"]),
    f("JSON_VALID", 'b', &["JSON_VALID({j})", "JSON_VALID({t})"]),
    f("JSON_VALUE", 't', &["JSON_VALUE({j}, {s}) => NULLIF(JSON_UNQUOTE(JSON_EXTRACT({j}, {s})), 'null')"]),
    // Addresses, ids and what else is plain.
    f("INET_ATON", 'n', &["INET_ATON({a})"]),
    f("INET_NTOA", 't', &["INET_NTOA({n})", "INET_NTOA(INET_ATON({a}))"]),
    f("INET6_ATON", 'y', &["HEX(INET6_ATON({a}))"]),
    f("INET6_NTOA", 't', &["INET6_NTOA(INET6_ATON({a}))"]),
    f("IS_IPV4", 'b', &["IS_IPV4({a})"]),
    f("IS_IPV4_COMPAT", 'b', &["IS_IPV4_COMPAT(INET6_ATON({a}))"]),
    f("IS_IPV4_MAPPED", 'b', &["IS_IPV4_MAPPED(INET6_ATON({a}))"]),
    f("IS_IPV6", 'b', &["IS_IPV6({a})"]),
    f("UUID", 'i', &["LENGTH(UUID())"]),
    out("IS_UUID", "MariaDB lacks it"),
    out("UUID_TO_BIN", "MariaDB lacks it"),
    out("BIN_TO_UUID", "MariaDB lacks it"),
    out("UUID_SHORT", "never twice the same, and no shape to look at"),
    out("FORMAT_BYTES", "MariaDB 10.11 lacks it"),
    out("FORMAT_PICO_TIME", "MariaDB 10.11 has another one"),
    f("NAME_CONST", 'x', &["NAME_CONST('a', 1)"]),
    f("MD5", 't', &["MD5({t})"]),
    f("SHA1", 't', &["SHA1({t})", "SHA({t})"]),
    f("SHA2", 't', &["SHA2({t}, 256)", "SHA2({t}, {i}) => SHA2({t}, IFNULL({i}, 1))"]),
    f("DATABASE", 'b', &["(DATABASE() IS NOT NULL)", "(SCHEMA() IS NOT NULL)"]),
    f("USER", 'b', &["(USER() IS NOT NULL)", "(CURRENT_USER() IS NOT NULL)", "(SESSION_USER() IS NOT NULL)", "(SYSTEM_USER() IS NOT NULL)"]),
    f("VERSION", 'b', &["(LENGTH(VERSION()) > 0)"]),
    f("CONNECTION_ID", 'b', &["(CONNECTION_ID() >= 0)"]),
    // Aggregates.
    agg("AVG", 'n', &["AVG({n})", "AVG(DISTINCT {i}) => AVG(DISTINCT {i} + 0)", "AVG({g})"]),
    agg("BIT_AND", 'n', &["BIT_AND({n})"]),
    agg("BIT_OR", 'n', &["BIT_OR({n})"]),
    agg("BIT_XOR", 'n', &["BIT_XOR({i})"]),
    agg("COUNT", 'i', &["COUNT(*)", "COUNT({x})"]),
    agg("COUNT(DISTINCT)", 'i', &["COUNT(DISTINCT {x})", "COUNT(DISTINCT {t}, {i})"]),
    agg("GROUP_CONCAT", 't', &["GROUP_CONCAT({t} ORDER BY k)", "GROUP_CONCAT(DISTINCT {i} ORDER BY 1 SEPARATOR ';')", "GROUP_CONCAT({t}, {n} ORDER BY k DESC SEPARATOR '|')"]),
    agg("JSON_ARRAYAGG", 'j', &["JSON_ARRAYAGG({i}) => JSON_LOOSE(JSON_ARRAYAGG({i}))"]),
    agg("JSON_OBJECTAGG", 'j', &["JSON_OBJECTAGG(k, {i}) => JSON_LOOSE(JSON_OBJECTAGG(k, {i}))"]),
    agg("MAX", 'x', &["MAX({n})", "MAX({t})", "MAX({T})", "MAX({b})", "MAX(DISTINCT {i})"]),
    agg("MIN", 'x', &["MIN({n})", "MIN({t})", "MIN({T})", "MIN({b})"]),
    agg("STD", 'd', &["STD({i})", "STDDEV({i})", "STDDEV_POP({g})"]),
    agg("STDDEV_SAMP", 'd', &["STDDEV_SAMP({i})"]),
    agg("SUM", 'n', &["SUM({n})", "SUM({i})", "SUM({b})", "SUM(DISTINCT {i})", "SUM({c})"]),
    agg("VAR_POP", 'd', &["VAR_POP({i})", "VARIANCE({g})"]),
    agg("VAR_SAMP", 'd', &["VAR_SAMP({i})"]),
    agg("ANY_VALUE", 'x', &["ANY_VALUE(1) => MAX(1)"]),
    statement("GROUPING"),
    // Windows.
    win("CUME_DIST", 'd', &["CUME_DIST() OVER (ORDER BY {i}) => 0e0 + CUME_DIST() OVER (ORDER BY {i})", "CUME_DIST() OVER (PARTITION BY b ORDER BY {i}) => 0e0 + CUME_DIST() OVER (PARTITION BY b ORDER BY {i})"]),
    win("DENSE_RANK", 'i', &["DENSE_RANK() OVER (ORDER BY {i})", "DENSE_RANK() OVER (PARTITION BY {b} ORDER BY {t})"]),
    win("FIRST_VALUE", 'x', &["FIRST_VALUE({x}) OVER (ORDER BY k)", "FIRST_VALUE({t}) OVER (PARTITION BY b ORDER BY k DESC)"]),
    win("LAG", 'x', &["LAG({x}) OVER (ORDER BY k)", "LAG({i}, 2, 9) OVER (ORDER BY k) => IF(ROW_NUMBER() OVER (ORDER BY k) <= 2, 9, LAG({i}, 2) OVER (ORDER BY k))"]),
    win("LAST_VALUE", 'x', &["LAST_VALUE({x}) OVER (ORDER BY k)", "LAST_VALUE({t}) OVER (ORDER BY k ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)"]),
    win("LEAD", 'x', &["LEAD({x}) OVER (ORDER BY k)", "LEAD({t}, 1) OVER (PARTITION BY s ORDER BY k)"]),
    win("NTH_VALUE", 'x', &["NTH_VALUE({x}, 2) OVER (ORDER BY k)"]),
    win("NTILE", 'i', &["NTILE(4) OVER (ORDER BY k)"]),
    win("PERCENT_RANK", 'd', &["PERCENT_RANK() OVER (ORDER BY {i}) => 0e0 + PERCENT_RANK() OVER (ORDER BY {i})"]),
    win("RANK", 'i', &["RANK() OVER (ORDER BY {i})", "RANK() OVER (PARTITION BY {b} ORDER BY {i} DESC)"]),
    win("ROW_NUMBER", 'i', &["ROW_NUMBER() OVER (ORDER BY k)", "ROW_NUMBER() OVER (PARTITION BY {b} ORDER BY {i}, k)"]),
    win("aggregate OVER", 'n', &["SUM({i}) OVER (ORDER BY k)", "COUNT({x}) OVER (PARTITION BY b)", "MAX({t}) OVER (PARTITION BY s)", "AVG({i}) OVER (ORDER BY k ROWS 2 PRECEDING)", "MIN({n}) OVER (ORDER BY k ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)", "SUM({i}) OVER ()", "SUM({i}) OVER (ORDER BY s RANGE BETWEEN 1 PRECEDING AND CURRENT ROW)"]),
    // Subqueries.
    statement("EXISTS"),
    statement("NOT EXISTS"),
    statement("IN (subquery)"),
    statement("ANY and ALL"),
    // Not judged, by group.
    out("AES_DECRYPT, AES_ENCRYPT, COMPRESS, UNCOMPRESS, UNCOMPRESSED_LENGTH, RANDOM_BYTES, VALIDATE_PASSWORD_STRENGTH", "encryption and compression"),
    out("STATEMENT_DIGEST, STATEMENT_DIGEST_TEXT", "digests of MySQL's own parser"),
    out("GTID_SUBSET, GTID_SUBTRACT, SOURCE_POS_WAIT, WAIT_FOR_EXECUTED_GTID_SET, asynchronous_connection_failover_*, group_replication_*", "replication"),
    out("GET_LOCK, IS_FREE_LOCK, IS_USED_LOCK, RELEASE_LOCK, RELEASE_ALL_LOCKS", "locks"),
    out("ST_*, MBR*, Geometry and its kin", "spatial"),
    out("MATCH, ExtractValue, UpdateXML", "full-text search and XML"),
    out("BENCHMARK, SLEEP, LOAD_FILE", "do things, not values"),
    out("FOUND_ROWS, ROW_COUNT, LAST_INSERT_ID, DEFAULT, VALUES", "of statements that write"),
    out("CURRENT_ROLE, ROLES_GRAPHML, ICU_VERSION, PS_CURRENT_THREAD_ID, PS_THREAD_ID, CAN_ACCESS_*, INTERNAL_*", "of the server, not of values"),
];

/// The functions of a class.
pub fn of(class: Class) -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.iter().filter(move |function| function.class == class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = FUNCTIONS.iter().map(|function| function.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
