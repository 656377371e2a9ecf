//! What replay cannot judge, whole: a forger who holds the audit key can change it, nobody else
//! can.

/// Fields, how they may be changed, and why replay cannot tell.
pub(super) struct Only {
    pub(super) fields: &'static [&'static str],
    pub(super) how: &'static [&'static str],
    pub(super) why: &'static str,
}

const TEXT: &[&str] = &["a character", "a character less", "a character more"];

/// Everything that only the seal protects.
pub(super) const ONLY_THE_SEAL: &[Only] = &[
    Only {
        fields: &["at"],
        how: &["a character", "a second earlier", "a second later"],
        why: "the room says the time; replay asks for the order and the window",
    },
    Only {
        fields: &["answered activate: facts.second-factor", "answered clock: facts.reference"],
        how: TEXT,
        why: "people say which card or which clock, in their own words",
    },
    Only {
        fields: &["answered clock: facts.offset-seconds"],
        how: &["a character"],
        why: "people read the offset; replay asks for one within the policy's limit",
    },
    Only {
        fields: &["answered clock: by"],
        how: &["an element more"],
        why: "who of several on duty took part; replay asks that they are on duty, and enough",
    },
    Only {
        fields: &["answered clock: by[]"],
        how: &["another word"],
        why: "who of several on duty took part; replay asks that they are on duty, and enough",
    },
    Only {
        fields: &[
            "answered anchor-words: facts.audit-key",
            "answered anchor-words: facts.head",
            "answered fingerprint: facts.sha256",
            "answered papers: facts.bindings",
            "answered papers: facts.graph",
            "answered papers: facts.head",
        ],
        how: &["a character less", "the first 16 digits"],
        why: "people may read a digest from its first 8 words on: how far they read is theirs",
    },
    Only {
        fields: &[
            "answered identify: firmware",
            "answered identify: hardware",
            "answered identify: label",
            "answered identify: manufacturer",
            "answered identify: model",
        ],
        how: &["a character", "a character less", "a character more", "nothing"],
        why: "the token describes itself; replay judges its serial number, and DRILL in a label",
    },
    Only {
        fields: &["answered identify: mechanisms"],
        how: &["an element more", "an element twice", "another order"],
        why: "a token may do more than is demanded of it",
    },
    Only {
        fields: &["answered inventory: objects"],
        how: &["an element less", "an element twice", "another order"],
        why: "what a key generation in doubt left may be there or not; order says nothing",
    },
    Only {
        fields: &["answered inventory: objects[].id"],
        how: &["nothing"],
        why: "while a key generation is in doubt, what bears no CKA_ID may be its remains",
    },
    Only {
        fields: &["answered inventory: objects[].label"],
        how: &["a character", "a character less", "a character more", "nothing"],
        why: "an object is known by its class and CKA_ID",
    },
    Only {
        fields: &["answered generate: private", "adopted generate: key.private"],
        how: &["a false attribute more", "a false member less"],
        why: "three attributes count as false when absent; another that is false is as good as absent",
    },
    Only {
        fields: &["answered generate: public", "adopted generate: key.public"],
        how: &["a false attribute more", "a true attribute more"],
        why: "what is false and was not asked is as good as absent; LOCAL is a fact, and no power",
    },
    Only {
        fields: &["answered sign: signatures[]", "answered sign-head: signatures[]"],
        how: &["n − s for s"],
        why: "of ECDSA's two signatures (r, s) and (r, n − s) a token gives either",
    },
    Only {
        fields: &["deviation papers: by", "refused fingerprint: by"],
        how: &["an element less", "an element more"],
        why: "who of the participants spoke",
    },
    Only {
        fields: &["noted: by"],
        how: &["an element more"],
        why: "who of the participants said that the head is on paper",
    },
    Only {
        fields: &["noted: by[]"],
        how: &["another word"],
        why: "who of the participants said that the head is on paper",
    },
    Only {
        fields: &["card-failed: by", "orphan-removed generate: by", "paused fingerprint: by"],
        how: &["an element more"],
        why: "who of the participants consented; replay asks for two roles",
    },
    Only {
        fields: &[
            "card-failed: by[]",
            "deviation papers: by[]",
            "refused fingerprint: by[]",
            "orphan-removed generate: by[]",
            "paused fingerprint: by[]",
        ],
        how: &["another word"],
        why: "who of the participants spoke or consented",
    },
    Only {
        fields: &[
            "card-failed: reason",
            "paused fingerprint: reason",
            "deviation papers: reason",
            "refused fingerprint: reason",
            "lost login: cause",
        ],
        how: TEXT,
        why: "people's and the token's own words",
    },
    Only {
        fields: &["orphan-removed generate: found.labels"],
        how: &["an element more"],
        why: "what was left of a key pair and destroyed is anything but a complete pair",
    },
    Only {
        fields: &[
            "orphan-removed generate: found.private",
            "orphan-removed generate: found.public",
        ],
        how: &["a false attribute more", "a true attribute more"],
        why: "what was left of a key pair and destroyed is anything but a complete pair",
    },
    Only {
        fields: &["orphan-removed generate: found.privates"],
        how: &["one more"],
        why: "what was left of a key pair and destroyed is anything but a complete pair",
    },
    Only {
        fields: &["orphan-removed generate: found.publics"],
        how: &["one more"],
        why: "what was left of a key pair and destroyed is anything but a complete pair",
    },
    Only {
        fields: &["resumed: copied", "resumed: dropped", "resumed: torn"],
        how: &["one less", "one more"],
        why: "what the interruption did to the journals is seen in the room only",
    },
];

/// The list as docs/transcript-format.md has it.
pub(super) fn table() -> String {
    let rows = ONLY_THE_SEAL.iter().map(|only| {
        let fields: Vec<String> = only.fields.iter().map(|field| format!("`{field}`")).collect();
        format!("| {} | {} |\n", fields.join("; "), only.why)
    });
    let head = "| fields | why replay cannot tell |\n|---|---|\n".to_string();
    std::iter::once(head).chain(rows).collect()
}
