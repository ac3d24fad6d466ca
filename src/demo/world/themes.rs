//! The words of each market: what is sold, to whom, and what answers say about it.
//!
//! No phrase here names a brand, so that every naming in an answer is one that its writer counted.

/// A brand as it is written down here: name, other spellings, domain.
pub(super) type BrandSeed = (&'static str, &'static [&'static str], &'static str);

/// A market and its vocabulary.
#[derive(Debug)]
pub(super) struct Theme {
    /// What a project about it is called, after the own brand's name.
    pub(super) label: &'static str,
    /// Where its buyers are.
    pub(super) location: &'static str,
    /// Brands in order; the first is the project's own.
    pub(super) brands: &'static [BrandSeed],
    /// The thing, singular and plural.
    pub(super) thing: (&'static str, &'static str),
    /// Topics with the needs that belong to them.
    pub(super) topics: &'static [(&'static str, &'static [&'static str])],
    /// Who asks; empty for nobody in particular.
    pub(super) audiences: &'static [&'static str],
    /// What follows a brand's name in a list.
    pub(super) praise: &'static [&'static str],
    /// What stands before and after a brand's name in a sentence of its own.
    pub(super) asides: &'static [(&'static str, &'static str)],
    /// Sentences that fill an answer.
    pub(super) facts: &'static [&'static str],
    /// Words for the paths of URLs.
    pub(super) slugs: &'static [&'static str],
}

/// The markets, in the order in which projects take them.
pub(super) const THEMES: &[Theme] = &[HOME_BATTERIES, INVOICING];

const HOME_BATTERIES: Theme = Theme {
    label: "home batteries",
    location: "DE",
    brands: &[
        ("Fernvolt", &["Fernvolt Energy", "Fern Volt"], "fernvolt.example"),
        ("Ambrelle", &["Ambrelle Power"], "ambrelle.example"),
        ("Kessel & Voss", &["Kessel und Voss", "KesselVoss"], "kesselvoss.example"),
        ("Nordhemma", &[], "nordhemma.example"),
        ("Solénne", &["Solenne"], "solenne.example"),
        ("Wattmere", &["Wattmere Home"], "wattmere.example"),
    ],
    thing: ("home battery", "home batteries"),
    topics: &[
        (
            "Choosing",
            &["a family of four", "a small flat", "a house with a heat pump", "an old house with thick walls"],
        ),
        ("Cost", &["a tight budget", "the fastest payback", "renting instead of buying", "a grant application"]),
        (
            "Backup power",
            &["long power cuts", "a freezer full of food", "a home office", "medical devices that must not stop"],
        ),
        ("Installation", &["a garage that freezes in winter", "a three-phase supply", "a listed building", "a cellar"]),
        ("Solar", &["a 10 kWp roof", "a balcony with two panels", "an east-west roof", "charging a car from the roof"]),
    ],
    audiences: &["", "in Germany", "for first-time buyers", "in 2026", "for pensioners", "in Austria", "for landlords"],
    praise: &[
        "keeps the lights on in a power cut and hardly makes a sound",
        "is often named first when people ask about long warranties",
        "comes with an app that even sceptics end up liking",
        "is sold through local installers, which helps with service",
        "scales from 5 to 30 kWh without a new inverter",
        "costs a little more but holds its capacity well",
        "is the usual choice where the cellar is damp",
        "has the shortest delivery time at the moment",
        "works with most inverters that are already on the wall",
        "gets mixed notes for its hotline and good ones for the hardware",
        "stands out with a flat-rate maintenance contract",
        "is easy to take along when moving house",
    ],
    asides: &[
        ("Owners of ", " report few faults in the first three years."),
        ("If you already have panels, ", " is the simplest to add."),
        ("Installers we know would pick ", " for a cold garage."),
        ("Note that ", " bills the installation separately."),
        ("On price alone, ", " is hard to beat this season."),
        ("For very long power cuts, ", " needs the bigger cabinet."),
        ("Compared with the rest, ", "'s warranty is generous."),
    ],
    facts: &[
        "A battery pays for itself soonest where most of the power is used in the evening.",
        "Usable capacity matters more than the number on the box: ask for both.",
        "Check whether the inverter can start without the grid, since many cannot.",
        "Round-trip efficiency between 88 and 95 % is normal; anything above that deserves a second look.",
        "Most warranties promise 70 % of the capacity after ten years.",
        "Lithium iron phosphate cells are heavier, and calmer when something goes wrong.",
        "A site visit takes an hour and saves most of the later quarrels.",
        "Ask the network operator early, as approval can take six weeks.",
        "Grants change every year, so read the current leaflet and not last year's summary.",
        "Two quotes from local firms tell you more than any ranking on the web.",
        "Noise is rarely mentioned in brochures, yet it is what people complain about later.",
        "If the cellar is damp, look for a cabinet with protection class IP55 or better.",
        "Dynamic tariffs make a bigger battery worthwhile, a fixed tariff seldom does.",
        "Keep ten percent free for emergencies; most apps have a setting for it.",
        "As a rule of thumb, plan one kilowatt hour of storage for each thousand used in a year.",
    ],
    slugs: &["home-storage", "battery-test", "buyers-guide", "warranty", "prices-2026", "backup-power", "solar-faq"],
};

const INVOICING: Theme = Theme {
    label: "invoicing software",
    location: "GB",
    brands: &[
        ("Tallybrook", &["Tallybrook Books", "Tally Brook"], "tallybrook.example"),
        ("Quillance", &[], "quillance.example"),
        ("Paperoak", &["Paperoak Pro"], "paperoak.example"),
        ("Zettelwerk", &["Zettelwerk Cloud"], "zettelwerk.example"),
        ("Numbrella", &["Numbrélla"], "numbrella.example"),
        ("Invodar & Sons", &["Invodar"], "invodar.example"),
    ],
    thing: ("billing tool", "billing tools"),
    topics: &[
        (
            "Freelancers",
            &["a one-person studio", "late payers", "irregular income", "translators with many currencies"],
        ),
        ("Tax", &["quarterly VAT returns", "digital tax records", "selling across borders", "a first annual return"]),
        ("Integrations", &["a web shop", "a bank feed", "an accountant who lives in spreadsheets", "time tracking"]),
        ("Teams", &["a team of ten", "approval by two people", "a charity", "a building firm with site photos"]),
        ("Switching", &["leaving spreadsheets", "importing ten years of data", "a fixed budget", "a paperless office"]),
    ],
    audiences: &["", "in the UK", "for beginners", "this year", "for small companies", "in Ireland", "for artists"],
    praise: &[
        "sends reminders politely enough that nobody takes offence",
        "is praised for a help desk with actual people in it",
        "has the cleanest import of old data",
        "does tax returns without an extra module",
        "is free up to five clients and fair beyond that",
        "looks plain and never loses anything",
        "connects to most banks on the same day",
        "is what many accountants ask their clients to use",
        "handles several currencies in one document",
        "takes a weekend to learn and a minute a day afterwards",
        "offers the better mobile app of the lot",
        "stores receipts for ten years, as the law wants",
    ],
    asides: &[
        ("People who moved to ", " mention the import first."),
        ("If you bill by the hour, ", " has a timer built in."),
        ("Accountants tend to like ", " for its audit trail."),
        ("Be aware that ", " raised its prices in spring."),
        ("For charities, ", " gives a discount on request."),
        ("With more than ten users, ", " becomes the cheaper choice."),
        ("Among its peers, ", "'s export formats are the most complete."),
    ],
    facts: &[
        "Start with the invoices you send most often and see how many clicks they take.",
        "A tool is only as good as its bank feed, so test that before anything else.",
        "Export everything once a year, whatever you use.",
        "Reminders that go out by themselves shorten the wait for money by about a week.",
        "Check who owns the data and how you would leave again.",
        "An accountant's opinion is worth more than a feature table.",
        "Free plans usually end where the second currency begins.",
        "Keep numbering without gaps, since the tax office looks at that first.",
        "Templates save time; wording that fits your clients gets you paid.",
        "If two people must approve, ask how that works on a phone.",
        "Ask about the price after the first year, not only about the offer.",
        "Most migrations fail at addresses and not at amounts.",
        "Two-factor sign-in should be on from the first day.",
        "Receipts can be photographed, but the file must stay readable for years.",
        "A trial month with real invoices says more than any demonstration.",
    ],
    slugs: &["invoice-software", "comparison", "vat-guide", "pricing", "migration", "bank-feeds", "small-business"],
};

/// Lines in other scripts and with odd spaces, such as real answers have now and then.
pub(super) const ODD_LINES: &[&str] = &[
    "Prices run from 4\u{a0}900\u{a0}€ to 12\u{a0}300\u{a0}€, incl.\u{a0}VAT.",
    "提示：价格和补贴因地区而异，请先询问当地供应商。",
    "Примечание: условия зависят от региона и могут измениться.",
    "✅ Checked, ⚠️ not checked: local rules 😅",
    "Café owners in Zürich, Besançon and Århus asked the same – naïve as it sounds.",
    "ご注意：価格は地域によって異なります。",
    "Roughly \\$4,000\u{2009}–\u{2009}\\$9,000 before tax\u{2026}",
    "Co\u{ad}operatives sometimes buy in bulk 👩\u{200d}🔧.",
];

/// How an answer opens.
pub(super) const OPENINGS: &[&str] = &[
    "There is no single best choice, but a few names come up again and again.",
    "It depends on what matters most to you. Here is a short overview.",
    "Good question! Let me go through what I found.",
    "Based on current reviews and tests, this is how I would look at it:",
    "Here are the options worth a closer look.",
    "In short: compare two or three, and take the one whose service is near you.",
];

/// How an answer ends.
pub(super) const CLOSINGS: &[&str] = &[
    "Would you like me to narrow this down by budget?",
    "Let me know if you want a side-by-side comparison.",
    "Information may have changed; please check with the maker before you buy.",
    "Tell me a little more about your situation and I can be more precise.",
    "Answers like this may contain mistakes.",
];

/// Why a run failed.
pub(super) const FAILURES: &[&str] = &[
    "timeout: no answer within 180 s",
    "captcha_not_solved",
    "snapshot_failed: upstream returned status 502",
    "empty_answer",
    "account_locked: all sessions are in use",
];

/// Parts of coined brand names, for markets that need more brands than were written down.
pub(super) const NAME_PARTS: (&[&str], &[&str]) = (
    &[
        "Alder", "Brisk", "Cal", "Dova", "Elm", "Fjor", "Grano", "Hux", "Ibra", "Jor", "Kym", "Lumo", "Merra", "Novi",
        "Orla", "Pell", "Quon", "Rill", "Sava", "Tarn", "Ulva", "Vesp", "Wyn", "Xano", "Yarrow", "Zell",
    ],
    &[
        "vanta", "dyne", "quist", "mondo", "ryx", "thera", "brand", "lisk", "ova", "pont", "grove", "zeta", "nox",
        "wick",
    ],
);

/// Parts of the names of sites that answers cite.
pub(super) const SITE_PARTS: (&[&str], &[&str]) = (
    &[
        "daily", "plain", "honest", "open", "north", "city", "smart", "green", "expert", "local", "prime", "clear",
        "quiet", "modern", "early", "bright", "rural", "global", "simple", "first",
    ],
    &[
        "review", "forum", "post", "wiki", "magazine", "test", "guide", "advice", "journal", "compare", "blog",
        "ratings", "watch", "digest", "hub", "news", "answers", "report", "check", "index",
    ],
);
