"""The languages that can be told apart, with what gives each away."""

# ruff: noqa: E501 - a line is a language

from typing import NamedTuple


class Language(NamedTuple):
    """A language, by its writing."""

    script: str
    words: frozenset[str] = frozenset()
    """Small words that nearly every sentence has."""
    letters: str = ""
    """Letters that the other languages of its script do without."""


def _of(script: str, words: str = "", letters: str = "") -> Language:
    return Language(script, frozenset(words.split()), letters)


LANGUAGES: dict[str, Language] = {
    "en": _of("Latin", "the and of to in is that it for with as was on are this you be by not have but from they at or an i my your we will can has their if which were there"),
    "es": _of("Latin", "el la de que y en un los se del las por con no una su para es al lo como más pero sus le ya este sí porque esta entre cuando muy sin sobre también me hasta hay son está", "ñ¿¡"),
    "pt": _of("Latin", "o a de que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das à seu sua ou ser quando muito há nos já está eu também só pelo pela são você", "ãõ"),
    "fr": _of("Latin", "le la les de des du et un une est que qui dans en pour pas sur ne se ce il elle au aux avec plus par je vous nous mais ou son sa ses sont être cette c'est d'une leur", "êœù"),
    "de": _of("Latin", "der die das und ist in zu den mit von nicht ein eine für auf dem im des sich als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über ich wir aber", "ßäöü"),
    "it": _of("Latin", "il di che e la in un a per è una del non sono le si da con i della nel alla lo gli più come dei ma al anche delle questo ha o se mi sono ho l'", "ìò"),
    "pl": _of("Latin", "i w na z do się nie jest to że o jak a dla od po przez za są czy ale tak już tym co ich być może lub oraz który która także", "ąęłńśźżć"),
    "vi": _of("Latin", "và của là có được cho một không các trong với những này để đã khi người tôi bạn như đến từ ở cũng về sẽ vào nhiều nó ra", "ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ"),
    "fi": _of("Latin", "ja on ei että se oli hän mutta ovat kun myös joka niin tai jos kuin voi ole sekä mitä sen tämä minä sinä olen olet he me te nyt vain kanssa ne jotka", "äö"),
    "sw": _of("Latin", "na ya wa kwa ni katika za la kuwa cha hii vya kama lakini pia huo hiyo au yake wake sana ili yao hilo wao mimi wewe yeye sisi hata bila kila watu mtu kutoka baada"),
    "nl": _of("Latin", "de het een en van is in dat op te zijn met niet voor die aan er om ook als bij uit wordt maar nog naar heeft deze ze of je ik wij"),
    "sv": _of("Latin", "och att det i en som är på för av med den inte till har ett om de jag var men kan från eller så vi ska", "åäö"),
    "tr": _of("Latin", "ve bir bu için ile de da çok daha olarak en gibi ne olan ama kadar sonra var ben sen her o değil mi", "ğışç"),
    "id": _of("Latin", "yang dan di dengan untuk dari ini itu dalam tidak pada adalah ke akan juga oleh atau saya anda kami mereka bisa ada karena"),
    "ru": _of("Cyrillic", "и в не на что с по это как к из у он за от но так же для мы вы я бы о все или только его если при когда", "ыэё"),
    "uk": _of("Cyrillic", "і в не на що з та це як до у є за від але так для ми ви я про або його якщо при коли він також", "іїєґ"),
    "bg": _of("Cyrillic", "и в не на че с по това как към от за но така ще да се са са е или само ако при когато той са със като до без може", "щъ"),
    "ar": _of("Arabic", "في من على إلى أن هذا التي الذي عن مع هو هي كان لا ما أو و هذه ذلك بعد قد كل", "ةىيكأإؤ"),
    "fa": _of("Arabic", "و در به از که این را با است برای آن یک می های تا بر شود کند ما هم خود شما شده باید", "پچژگکی"),
    "ur": _of("Arabic", "کے میں کی ہے اور سے کا کو نے پر یہ کہ ہیں ایک بھی نہیں تھا وہ جو لیے گیا اس آپ ہم", "پچگکیٹڈڑںےھہ"),
    "hi": _of("Devanagari", "के है में की और से का को पर यह ने एक हैं कि भी नहीं लिए इस हो था जो आप कर करने तो हम मैं वह अपने या"),
    "mr": _of("Devanagari", "आहे आणि या तो ते मी आहेत नाही च्या हे ही व असे केले होते मध्ये एक साठी आपण करा हा तर की आम्ही तुम्ही करण्यासाठी असलेल्या", "ळ"),
    "ne": _of("Devanagari", "छ र को मा छन् हो यो पनि गर्न लागि हुन्छ थियो एक भने तपाईं म गर्नुहोस् गरेको गर्ने यस त्यो हुने वा तथा हामी"),
    "ko": _of("Hangul"), "ja": _of("Kana"), "zh": _of("Han"), "th": _of("Thai"), "bn": _of("Bengali"),
    "pa": _of("Gurmukhi"), "gu": _of("Gujarati"), "ta": _of("Tamil"), "te": _of("Telugu"),
    "kn": _of("Kannada"), "ml": _of("Malayalam"), "he": _of("Hebrew"), "el": _of("Greek"),
}  # fmt: skip
"""ISO 639-1 code → what gives the language away. IFEval's thirty, and some that they are mistaken for."""

SCRIPTS = {
    "Latin": "A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ",
    "Greek": "Ͱ-Ͽ",
    "Cyrillic": "Ѐ-ԯ",
    "Hebrew": "א-ת",
    "Arabic": "ء-ۿ",
    "Devanagari": "ऀ-ॿ",
    "Bengali": "ঀ-৿",
    "Gurmukhi": "਀-੿",
    "Gujarati": "઀-૿",
    "Tamil": "஀-௿",
    "Telugu": "ఀ-౿",
    "Kannada": "ಀ-೿",
    "Malayalam": "ഀ-ൿ",
    "Thai": "฀-๿",
    "Hangul": "ᄀ-ᇿ㄰-㆏가-힣",
    "Kana": "぀-ヿ",
    "Han": "一-鿿",
}
"""Script → its letters, as a class of a regular expression."""
