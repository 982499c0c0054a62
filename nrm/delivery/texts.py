"""The words of a notice: neutral, in three languages, without a word about a person or a kind of service.

Mail is read on shared screens and travels in the open; whoever may know more signs in and finds it by the id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a notice is about.

    Attributes:
        id: the delivery's id.
        template: one of `TEMPLATES`.
        subject_kind: "referral", "task" or another noun.
        subject_id: id of that.
        language: ar, ckb or en; anything else becomes English.
        link: secret of a link by which the reader answers without signing in; "" where there is none.
        counts: how much waits for the reader, by the keys of `_COUNTS`; it says nothing of what.
    """

    id: str
    template: str
    subject_kind: str
    subject_id: str
    language: str
    link: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


TEMPLATES: Final[Mapping[str, Mapping[str, str]]] = {
    "referral_received": {
        "ar": "وصلت إحالة جديدة إلى جهتكم",
        "ckb": "ڕەوانەکردنێکی نوێ گەیشتە ڕێکخراوەکەتان",
        "en": "A new referral has arrived for your organisation",
    },
    "referral_due_soon": {
        "ar": "يُنتظر ردكم على إحالة قريبًا",
        "ckb": "بەم زووانە چاوەڕێی وەڵامتان دەکرێت بۆ ڕەوانەکردنێک",
        "en": "Your answer to a referral is due soon",
    },
    "referral_overdue": {
        "ar": "تأخر ردكم على إحالة",
        "ckb": "وەڵامتان بۆ ڕەوانەکردنێک دواکەوتووە",
        "en": "Your answer to a referral is late",
    },
    "referral_ended": {
        "ar": "انتهت إحالة كانت لدى جهتكم",
        "ckb": "ڕەوانەکردنێک کە لای ڕێکخراوەکەتان بوو کۆتایی هات",
        "en": "A referral that your organisation had has ended",
    },
    "referral_link": {
        "ar": "رابط جديد للرد على إحالة لدى جهتكم",
        "ckb": "بەستەرێکی نوێ بۆ وەڵامدانەوەی ڕەوانەکردنێک لای ڕێکخراوەکەتان",
        "en": "A new link to answer a referral that your organisation has",
    },
    "data_restrict": {
        "ar": "أوقفوا استعمال بيانات وصلتكم مع إحالة، وأكّدوا لنا ذلك",
        "ckb": "بەکارهێنانی ئەو زانیارییانە ڕابگرن کە لەگەڵ ڕەوانەکردنێک پێتان گەیشتوون، و پشتڕاستی بکەنەوە",
        "en": "Please stop using data that came with a referral, and confirm it",
    },
    "service_stale": {
        "ar": "هل ما زالت بيانات خدماتكم في الدليل صحيحة؟ أكّدوها أو صحّحوها من فضلكم",
        "ckb": "ئایا زانیاریی خزمەتگوزارییەکانتان لە ڕێبەرەکەدا هێشتا ڕاستە؟ تکایە پشتڕاستی بکەنەوە یان ڕاستی بکەنەوە",
        "en": "Please confirm or correct what the directory says of your services",
    },
    "task_reminded": {
        "ar": "لديكم مهمة يقترب موعدها",
        "ckb": "ئەرکێکتان هەیە کە کاتەکەی نزیک دەبێتەوە",
        "en": "A task of yours is due soon",
    },
    "task_escalated": {
        "ar": "تأخرت مهمة وتحتاج إلى متابعتكم",
        "ckb": "ئەرکێک دواکەوتووە و پێویستی بە بەدواداچوونی ئێوەیە",
        "en": "A task is late and needs your attention",
    },
    "key_ends": {
        "ar": "تنتهي قريبًا صلاحية مفتاح يستخدمه أحد برامج جهتكم",
        "ckb": "بەم زووانە ماوەی کلیلێک کە بەرنامەیەکی ڕێکخراوەکەتان بەکاری دەهێنێت تەواو دەبێت",
        "en": "A key that a program of your organisation uses ends soon",
    },
    "key_ends_tomorrow": {
        "ar": "تنتهي خلال يوم صلاحية مفتاح يستخدمه أحد برامج جهتكم",
        "ckb": "لە ماوەی ڕۆژێکدا ماوەی کلیلێک کە بەرنامەیەکی ڕێکخراوەکەتان بەکاری دەهێنێت تەواو دەبێت",
        "en": "A key that a program of your organisation uses ends within a day",
    },
    "endpoint_disabled": {
        "ar": "توقف إرسال الإشعارات الآلية إلى برنامج جهتكم لأنه لا يستقبلها",
        "ckb": "ناردنی ئاگادارکردنەوەی خۆکار بۆ بەرنامەی ڕێکخراوەکەتان وەستا چونکە وەریناگرێت",
        "en": "Automatic messages to your organisation's program have stopped because it does not take them",
    },
    "digest": {
        "ar": "ما ينتظركم اليوم",
        "ckb": "ئەوەی ئەمڕۆ چاوەڕێتان دەکات",
        "en": "What waits for you today",
    },
    "notice": {
        "ar": "لديكم إشعار جديد",
        "ckb": "ئاگادارکردنەوەیەکی نوێتان هەیە",
        "en": "There is a new notice for you",
    },
}
"""Template → language → its one sentence."""

_COUNTS: Final[Mapping[str, Mapping[str, str]]] = {
    "mine": {
        "ar": "مهام استلمتموها: {number}",
        "ckb": "ئەرکی لای ئێوە: {number}",
        "en": "Tasks that you have taken: {number}",
    },
    "desk": {
        "ar": "مهام مفتوحة في مكاتبكم: {number}",
        "ckb": "ئەرکی کراوە لە مێزەکانتان: {number}",
        "en": "Open tasks at your desks: {number}",
    },
    "overdue": {
        "ar": "المتأخرة منها: {number}",
        "ckb": "دواکەوتوو لەوانە: {number}",
        "en": "Late among these: {number}",
    },
}
_STOP: Final[Mapping[str, str]] = {
    "ar": "لإيقاف هذه الرسالة اليومية: {url}",
    "ckb": "بۆ ڕاگرتنی ئەم نامە ڕۆژانەیە: {url}",
    "en": "To stop this daily message: {url}",
}
_SIGN_IN: Final[Mapping[str, str]] = {
    "ar": "سجّلوا الدخول لقراءته: {url}",
    "ckb": "بۆ خوێندنەوەی بچنە ژوورەوە: {url}",
    "en": "Sign in to read it: {url}",
}
_ANSWER: Final[Mapping[str, str]] = {
    "ar": "للقراءة والرد افتحوا هذا الرابط. يُفتح مرة واحدة خلال سبعة أيام، ولا تعيدوا توجيه هذه الرسالة:",
    "ckb": "بۆ خوێندنەوە و وەڵامدانەوە ئەم بەستەرە بکەنەوە. یەک جار لە حەوت ڕۆژدا دەکرێتەوە؛ بۆ کەسی تری مەنێرن:",
    "en": "To read it and to answer, open this link. It opens once, within seven days; do not forward this message:",
}
_REFERENCE: Final[Mapping[str, str]] = {"ar": "المرجع: {id}", "ckb": "ژمارەی ئاماژە: {id}", "en": "Reference: {id}"}
_AUTOMATIC: Final[Mapping[str, str]] = {
    "ar": "هذه رسالة آلية، فلا تردّوا عليها ولا ترسلوا بيانات شخصية بالبريد الإلكتروني.",
    "ckb": "ئەمە نامەیەکی خۆکارە؛ وەڵامی مەدەنەوە و زانیاریی کەسی بە ئیمەیڵ مەنێرن.",
    "en": "This message was sent automatically. Do not answer it, and never send personal data by e-mail.",
}


def write(notice: Notice, *, public_url: str) -> tuple[str, str]:
    """Give subject line and body of a notice.

    Args:
        notice: what it is about.
        public_url: address at which people sign in.
    """
    language = notice.language if notice.language in _SIGN_IN else "en"
    sentence = TEMPLATES.get(notice.template, TEMPLATES["notice"])[language]
    lines = [
        sentence + ".",
        "",
        *_counts(notice, language),
        *_way_in(notice, language, public_url),
        *_about(notice, language, public_url),
        "",
        _AUTOMATIC[language],
    ]
    return sentence, "\n".join(lines) + "\n"


def _counts(notice: Notice, language: str) -> tuple[str, ...]:
    told = [words[language].format(number=notice.counts[key]) for key, words in _COUNTS.items() if key in notice.counts]
    return (*told, "") if told else ()


def _about(notice: Notice, language: str, public_url: str) -> tuple[str, ...]:
    """Name what it is about by its id; the daily mail is about the reader, and tells how to stop it."""
    if notice.template == "digest":
        return (_STOP[language].format(url=public_url.rstrip("/") + "/me/times"),)
    return (_REFERENCE[language].format(id=notice.subject_id),)


def _way_in(notice: Notice, language: str, public_url: str) -> tuple[str, ...]:
    if not notice.link:
        return (_SIGN_IN[language].format(url=public_url),)
    return (_ANSWER[language], f"{public_url.rstrip('/')}/answer/{notice.link}")
