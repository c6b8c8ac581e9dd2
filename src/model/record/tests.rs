use proptest::prelude::*;

use super::*;

#[test]
fn names_are_brought_into_one_form() {
    for (text, name) in [
        ("gigadb.org", "gigadb.org"),
        ("GigaDB.org.", "gigadb.org"),
        ("*.Example.org", "*.example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("XN--Bcher-KVA.example", "xn--bcher-kva.example"),
        ("_sip._tcp.example.org", "_sip._tcp.example.org"),
    ] {
        assert_eq!(canonical_name(text).as_deref(), Ok(name), "{text}");
    }
}

#[test]
fn what_is_no_name_is_refused() {
    let long_label = format!("{}.org", "a".repeat(64));
    let long_name = vec!["abcdefgh"; 40].join(".");
    for text in
        ["", ".", "*", "a..b", "a.*.b", "a*.b", "a b.org", "a\u{0}.org", "xn--\u{ff}", "日本..jp", &long_label, &long_name, &"a".repeat(5_000)]
    {
        assert!(canonical_name(text).is_err(), "{text}");
    }
}

#[test]
fn a_name_lies_in_its_zone_by_whole_labels() {
    assert!(is_within("gigadb.org", "gigadb.org"));
    assert!(is_within("www.gigadb.org", "gigadb.org"));
    assert!(!is_within("mygigadb.org", "gigadb.org"));
    assert!(!is_within("org", "gigadb.org"));
}

#[test]
fn answers_of_every_type_are_brought_into_one_form() {
    for (rtype, text, content) in [
        (RecordType::A, " 192.0.2.1 ", "192.0.2.1"),
        (RecordType::Aaaa, "2001:DB8:0:0::1", "2001:db8::1"),
        (RecordType::Cname, "GigaDB.org.", "gigadb.org"),
        (RecordType::Ns, "NS1.example.org.", "ns1.example.org"),
        (RecordType::Ptr, "Host.example.org.", "host.example.org"),
        (RecordType::Mx, "010   Mail.example.org.", "10 mail.example.org"),
        (RecordType::Mx, "0 .", "0 ."),
        (RecordType::Srv, "1 2 443 Target.example.org.", "1 2 443 target.example.org"),
        (RecordType::Caa, "0 Issue letsencrypt.org", "0 issue \"letsencrypt.org\""),
        (RecordType::Caa, "128 issue \";\"", "128 issue \";\""),
        (RecordType::Ds, "2371 13 2 1F98 7CC6", "2371 13 2 1f987cc6"),
        (
            RecordType::Naptr,
            "100 10 \"S\" SIP+D2U \"!^.*$!sip:a@b.org!\" _sip._udp.Example.org.",
            "100 10 \"S\" \"SIP+D2U\" \"!^.*$!sip:a@b.org!\" _sip._udp.example.org",
        ),
        (RecordType::Sshfp, "4 2 ABCDEF01", "4 2 abcdef01"),
        (RecordType::Tlsa, "3 1 1 0D6F CE33", "3 1 1 0d6fce33"),
        (RecordType::Uri, "10 1 https://example.org/a", "10 1 \"https://example.org/a\""),
        (RecordType::Https, "1 . port=8443 alpn=\"h3,h2\" ipv6hint=2001:DB8::0:1", "1 . alpn=h3,h2 port=8443 ipv6hint=2001:db8::1"),
        (RecordType::Svcb, "0 Svc.example.org.", "0 svc.example.org"),
        (RecordType::Svcb, "1 a.org mandatory=port,alpn key667=\"x y\" alpn=h2, port=1", "1 a.org mandatory=alpn,port alpn=h2 port=1 key667=\"x y\""),
        (RecordType::Txt, "v=spf1  \"x\" -all ", "v=spf1  \"x\" -all "),
    ] {
        assert_eq!(canonical_content(rtype, text).as_deref(), Ok(content), "{rtype} {text}");
    }
}

#[test]
fn wrong_answers_are_refused_with_the_reason() {
    for (rtype, text, word) in [
        (RecordType::A, "2001:db8::1", "AAAA"),
        (RecordType::Aaaa, "192.0.2.1", "use A"),
        (RecordType::A, "192.0.2.256", "IPv4"),
        (RecordType::A, "192.0.2.01", "IPv4"),
        (RecordType::Mx, "mail.example.org", "PREFERENCE NAME"),
        (RecordType::Mx, "70000 mail.example.org", "70000"),
        (RecordType::Mx, "+1 mail.example.org", "+1"),
        (RecordType::Srv, "1 2 3", "PRIORITY WEIGHT PORT TARGET"),
        (RecordType::Caa, "0 is-sue \"x\"", "is-sue"),
        (RecordType::Caa, "0 issue \"x", "quote"),
        (RecordType::Ds, "1 2 3 abc", "hexadecimal"),
        (RecordType::Ds, "1 2 3", "hexadecimal"),
        (RecordType::Tlsa, "3 1 1 xyz0", "hexadecimal"),
        (RecordType::Uri, "1 1 \"\"", "3 fields"),
        (RecordType::Https, "1 . alpn", "needs a value"),
        (RecordType::Https, "1 . port=1 port=2", "twice"),
        (RecordType::Https, "1 . colour=red", "colour"),
        (RecordType::Https, "1 . ipv4hint=2001:db8::1", "family"),
        (RecordType::Naptr, "1 1 \"\\", "backslash"),
        (RecordType::Cname, ".", "domain name"),
    ] {
        let error = canonical_content(rtype, text).expect_err(text);
        assert!(error.contains(word), "{rtype} {text}: {error}");
    }
    assert!(canonical_content(RecordType::Txt, &"x".repeat(65_280)).is_err());
    assert!(canonical_content(RecordType::Txt, &"x".repeat(65_279)).is_ok());
}

fn any_type() -> impl Strategy<Value = RecordType> {
    proptest::sample::select(RecordType::ALL.to_vec())
}

proptest! {
    #[test]
    fn a_canonical_name_is_its_own_canonical_form(text in ".{0,40}") {
        if let Ok(name) = canonical_name(&text) {
            prop_assert_eq!(canonical_name(&name), Ok(name));
        }
    }

    #[test]
    fn a_canonical_answer_is_its_own_canonical_form(rtype in any_type(), text in ".{0,60}") {
        if let Ok(content) = canonical_content(rtype, &text) {
            prop_assert_eq!(canonical_content(rtype, &content), Ok(content));
        }
    }

    #[test]
    fn answers_that_look_right_are_stable(rtype in any_type(), numbers in proptest::collection::vec("[0-9]{1,3}", 1..4),
        rest in "(\"[^\"\\\\]{0,9}\"|[a-z.]{1,9}|[0-9a-fA-F]{2,8}|alpn=\"?h2,h3\"?|key[0-9]{1,5}=[!-~]{0,6}|\\\\[0-9]{3}| ){0,5}") {
        let text = format!("{} {rest}", numbers.join(" "));
        if let Ok(content) = canonical_content(rtype, &text) {
            prop_assert_eq!(canonical_content(rtype, &content), Ok(content));
        }
    }
}

#[test]
fn the_examples_of_help_texts_are_good() {
    for rtype in RecordType::ALL {
        assert!(canonical_content(rtype, rtype.example()).is_ok(), "{rtype}: {:?}", canonical_content(rtype, rtype.example()));
    }
}
