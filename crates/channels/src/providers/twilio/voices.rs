//! Which of Twilio's voices reads which language.

/// A voice and the language that it is asked to read, both as Twilio writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reader<'a> {
    pub(super) voice: &'a str,
    pub(super) language: &'a str,
}

/// BCP 47 tag, language, voice. A standard voice each: neural ones cost more.
pub(super) const VOICES: [(&str, &str, &str); 62] = [
    ("af", "af-ZA", "Google.af-ZA-Standard-A"),
    ("ar", "arb", "Polly.Zeina"),
    ("bg", "bg-BG", "Google.bg-BG-Standard-A"),
    ("bn", "bn-IN", "Google.bn-IN-Standard-C"),
    ("ca", "ca-ES", "Google.ca-ES-Standard-A"),
    ("cs", "cs-CZ", "Google.cs-CZ-Standard-A"),
    ("cy", "cy-GB", "Polly.Gwyneth"),
    ("da", "da-DK", "Polly.Naja"),
    ("de", "de-DE", "Polly.Marlene"),
    ("el", "el-GR", "Google.el-GR-Standard-A"),
    ("en", "en-US", "Polly.Joanna"),
    ("en-AU", "en-AU", "Polly.Nicole"),
    ("en-GB", "en-GB", "Polly.Amy"),
    ("en-IN", "en-IN", "Polly.Raveena"),
    ("es", "es-ES", "Polly.Conchita"),
    ("es-419", "es-MX", "Polly.Mia"),
    ("es-MX", "es-MX", "Polly.Mia"),
    ("es-US", "es-US", "Polly.Lupe"),
    ("eu", "eu-ES", "Google.eu-ES-Standard-A"),
    ("fi", "fi-FI", "Google.fi-FI-Standard-A"),
    ("fil", "fil-PH", "Google.fil-PH-Standard-A"),
    ("fr", "fr-FR", "Polly.Celine"),
    ("fr-CA", "fr-CA", "Polly.Chantal"),
    ("gl", "gl-ES", "Google.gl-ES-Standard-A"),
    ("gu", "gu-IN", "Google.gu-IN-Standard-C"),
    ("he", "he-IL", "Google.he-IL-Standard-A"),
    ("hi", "hi-IN", "Polly.Aditi"),
    ("hu", "hu-HU", "Google.hu-HU-Standard-A"),
    ("id", "id-ID", "Google.id-ID-Standard-A"),
    ("is", "is-IS", "Polly.Dora"),
    ("it", "it-IT", "Polly.Carla"),
    ("ja", "ja-JP", "Polly.Mizuki"),
    ("kn", "kn-IN", "Google.kn-IN-Standard-C"),
    ("ko", "ko-KR", "Polly.Seoyeon"),
    ("lt", "lt-LT", "Google.lt-LT-Standard-A"),
    ("lv", "lv-LV", "Google.lv-LV-Standard-A"),
    ("ml", "ml-IN", "Google.ml-IN-Wavenet-C"),
    ("mr", "mr-IN", "Google.mr-IN-Standard-A"),
    ("ms", "ms-MY", "Google.ms-MY-Standard-A"),
    ("nb", "nb-NO", "Polly.Liv"),
    ("nl", "nl-NL", "Polly.Lotte"),
    ("nl-BE", "nl-BE", "Google.nl-BE-Standard-A"),
    ("no", "nb-NO", "Polly.Liv"),
    ("pa", "pa-IN", "Google.pa-IN-Standard-A"),
    ("pl", "pl-PL", "Polly.Ewa"),
    ("pt", "pt-PT", "Polly.Ines"),
    ("pt-BR", "pt-BR", "Polly.Camila"),
    ("ro", "ro-RO", "Polly.Carmen"),
    ("ru", "ru-RU", "Polly.Tatyana"),
    ("sk", "sk-SK", "Google.sk-SK-Standard-A"),
    ("sr", "sr-RS", "Google.sr-RS-Standard-A"),
    ("sv", "sv-SE", "Polly.Astrid"),
    ("ta", "ta-IN", "Google.ta-IN-Standard-C"),
    ("te", "te-IN", "Google.te-IN-Standard-A"),
    ("th", "th-TH", "Google.th-TH-Standard-A"),
    ("tr", "tr-TR", "Polly.Filiz"),
    ("uk", "uk-UA", "Google.uk-UA-Standard-A"),
    ("vi", "vi-VN", "Google.vi-VN-Standard-A"),
    ("zh", "cmn-CN", "Polly.Zhiyu"),
    ("zh-HK", "yue-HK", "Google.yue-HK-Standard-A"),
    ("zh-Hant", "cmn-TW", "Google.cmn-TW-Standard-A"),
    ("zh-TW", "cmn-TW", "Google.cmn-TW-Standard-A"),
];

/// The built-in voices by tag.
pub(super) fn built_in() -> impl Iterator<Item = (&'static str, Reader<'static>)> {
    VOICES.iter().map(|(tag, language, voice)| (*tag, Reader { voice, language }))
}
