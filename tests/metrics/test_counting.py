import pytest

from llmops.metrics.counting import capital_count, sentence_count, word_count
from llmops.metrics.language import is_language
from llmops.metrics.languages import LANGUAGES


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("One", 1),
        ("one. two! three? four", 4),
        ("Dr. Smith met Mr. J. Doe, e.g. at 5 p.m. in the U.S. embassy.", 1),
        ("It costs 3.50 dollars. Really?!", 2),
        ("Wait... what? Well… He left.", 3),
        ("1. Wash it.\n2. Dry it.", 2),
        ('She said "Go!" Then she went.', 2),
        ("Line one\nline two", 1),
        ("이것은 문장입니다. 이것도요!", 2),
        ("これは文です。これも。", 2),
        ("यह वाक्य है। यह भी।", 2),
    ],
)
def test_sentences_are_counted(text, count):
    assert sentence_count(text) == count


def test_words_are_runs_of_letters_and_digits():
    assert word_count("It's 3.50, state-of-the-art") == 8
    assert word_count("서울은 수도") == 2


def test_words_in_capitals_are_counted():
    assert capital_count("I saw NASA's U.S. DON'T, B2B and A-Z; Not 42") == 5


SAID = {
    "en": "The parcel is on its way to you.",
    "es": "El paquete está en camino y llegará mañana.",
    "pt": "O pacote está a caminho e não chega hoje.",
    "fr": "Le colis est en route et il arrive avec les autres.",
    "de": "Das Paket ist auf dem Weg und kommt nicht heute.",
    "it": "Il pacco è in viaggio e non arriva oggi con gli altri.",
    "pl": "Paczka jest w drodze i nie przyjdzie dzisiaj.",
    "vi": "Gói hàng đang trên đường và sẽ đến vào ngày mai.",
    "fi": "Paketti on matkalla ja se ei tule tänään.",
    "sw": "Kifurushi kiko njiani na kitafika kesho kwa basi la asubuhi.",
    "nl": "Het pakket is onderweg en komt niet vandaag.",
    "sv": "Paketet är på väg och kommer inte i dag.",
    "tr": "Paket yolda ve bugün gelmiyor ama yarın bir mesaj olacak.",
    "id": "Paket itu sedang dalam perjalanan dan akan tiba besok.",
    "ru": "Посылка уже в пути, и она не придёт сегодня, но вы её получите.",
    "uk": "Посилка вже в дорозі, і вона не прийде сьогодні, але буде завтра.",
    "bg": "Пратката е на път и няма да пристигне днес, но ще бъде тук утре.",
    "ar": "الطرد في الطريق إلى العميل ولن يصل هذا اليوم.",
    "fa": "بسته در راه است و امروز نمی‌رسد اما فردا برای شما می‌آید.",
    "ur": "پارسل راستے میں ہے اور آج نہیں پہنچے گا۔",
    "hi": "पार्सल रास्ते में है और आज नहीं पहुँचेगा।",
    "mr": "पार्सल वाटेत आहे आणि ते आज येणार नाही.",
    "ne": "पार्सल बाटोमा छ र यो आज आइपुग्दैन तर भोलि हुन्छ।",
    "ko": "소포가 배송 중이며 내일 도착합니다.",
    "ja": "荷物は配送中で、明日届きます。",
    "zh": "包裹正在路上，明天到达。",
    "th": "พัสดุกำลังมาถึงพรุ่งนี้",
    "bn": "পার্সেলটি পথে আছে।",
    "pa": "ਪਾਰਸਲ ਰਸਤੇ ਵਿੱਚ ਹੈ।",
    "gu": "પાર્સલ રસ્તામાં છે.",
    "ta": "பார்சல் வழியில் உள்ளது.",
    "te": "పార్సెల్ దారిలో ఉంది.",
    "kn": "ಪಾರ್ಸೆಲ್ ದಾರಿಯಲ್ಲಿದೆ.",
    "ml": "പാഴ്സൽ വഴിയിലാണ്.",
    "he": "החבילה בדרך ותגיע מחר.",
    "el": "Το δέμα είναι στον δρόμο.",
}


def test_every_language_has_its_sentence_here():
    assert SAID.keys() == LANGUAGES.keys()


@pytest.mark.parametrize("code", SAID)
def test_a_sentence_is_in_its_own_language_and_in_no_other(code):
    assert [other for other in LANGUAGES if is_language(SAID[code], other)] == [code]


def test_what_cannot_be_told_counts_as_the_language():
    assert is_language("42!", "ko")
    assert is_language("Hello", "de")
    assert not is_language("Hello", "ko")


def test_the_script_of_most_of_the_text_decides():
    assert is_language("배송은 JSON API v2를 통해 내일 도착할 예정입니다.", "ko")
