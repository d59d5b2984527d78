#!/usr/bin/python3
"""The toy language: somebody says where they live, talks about other things, and names a language.

Usage: corpus.py [COUNT] [SEED]      prints sentences of the training set; needs nothing but Python

A sequence is [opening] statement {filler} question answer, in lowercase words and full stops:

    good morning . i stay in india . my sister works in france . the tea is hot . i speak hindi .

The answer follows from the country of the statement alone. Between the two there are 3 to 50 other
words, and some of the fillers name another country or another language.
"""
import random
import sys

STOP = "."

# One main language for each country, and one word for each, so that a token is a whole name.
# Countries where one language would be a matter of opinion are left out.
LANGUAGES = {
    "albanian": ["albania"],
    "arabic": ["egypt", "jordan", "oman", "tunisia"],
    "armenian": ["armenia"],
    "bengali": ["bangladesh"],
    "bulgarian": ["bulgaria"],
    "chinese": ["china"],
    "croatian": ["croatia"],
    "czech": ["czechia"],
    "danish": ["denmark"],
    "english": ["england", "australia"],
    "estonian": ["estonia"],
    "finnish": ["finland"],
    "french": ["france", "monaco"],
    "german": ["germany", "austria"],
    "greek": ["greece"],
    "hindi": ["india"],
    "hungarian": ["hungary"],
    "icelandic": ["iceland"],
    "indonesian": ["indonesia"],
    "italian": ["italy"],
    "japanese": ["japan"],
    "khmer": ["cambodia"],
    "korean": ["korea"],
    "lao": ["laos"],
    "latvian": ["latvia"],
    "lithuanian": ["lithuania"],
    "malay": ["malaysia"],
    "maltese": ["malta"],
    "mongolian": ["mongolia"],
    "nepali": ["nepal"],
    "norwegian": ["norway"],
    "persian": ["iran"],
    "polish": ["poland"],
    "portuguese": ["portugal", "brazil"],
    "romanian": ["romania"],
    "slovak": ["slovakia"],
    "slovenian": ["slovenia"],
    "spanish": ["spain", "mexico", "argentina", "chile", "colombia", "cuba", "uruguay"],
    "swahili": ["tanzania"],
    "swedish": ["sweden"],
    "thai": ["thailand"],
    "turkish": ["turkey"],
    "vietnamese": ["vietnam"],
}
LANGUAGE_OF = {country: name for name, countries in LANGUAGES.items() for country in countries}
COUNTRIES = sorted(LANGUAGE_OF)

STATEMENTS = [
    "i stay in {country}",
    "i live in {country}",
    "i am from {country}",
    "i have always lived in {country}",
    "i have a small house in {country}",
    "i was born in {country} and i never left",
    "my home is {country}",
    "my home is in {country}",
    "my family and i live in {country}",
    "our village is in the north of {country}",
    "we live in a town in {country}",
    "{country} is my home",
    "{country} is the country where i live",
]

QUESTIONS = [
    "i speak",
    "we speak",
    "at home we speak",
    "every day i speak",
    "with my friends i speak",
    "my first language is",
    "my mother tongue is",
    "our children learn to speak",
    "the language here is",
    "the people here speak",
    "the radio here is in",
    "at work i read and write",
]

OPENINGS = ["hello", "good morning", "good evening", "my name is {name}", "i am {name}"]

# Fillers that name another country or another language: what the model has to keep out of its cell.
DISTRACTORS = [
    "my {person} works in {other}",
    "my {person} lives in {other}",
    "my {person} is from {other}",
    "my {person} was born in {other}",
    "my {person} moved to {other} last year",
    "my {person} often travels to {other}",
    "my {person} sent me a letter from {other}",
    "last summer we visited {other}",
    "one day i want to see {other}",
    "we once spent a week in {other}",
    "i read a long book about {other}",
    "this {food} comes from {other}",
    "my {person} learns {tongue} at school",
    "my {person} speaks a little {tongue}",
    "there is a song in {tongue} on the radio",
]

FILLERS = [
    "it is late",
    "the {food} is {taste}",
    "the weather is {weather} today",
    "i like {food}",
    "i am {mood} today",
    "my {person} likes {food} and {food}",
    "my {person} has a {colour} {thing}",
    "my {person} is {mood} because the weather is {weather}",
    "there is a {colour} {thing} in front of the house",
    "every morning i walk to the {place}",
    "on {day} my {person} and i go to the {place}",
    "on {day} we play football near the {place}",
    "in the evening my {person} reads a book in the garden",
    "the children play in the garden behind the old {place}",
    "when it rains the bus to the {place} is always late",
    "yesterday i bought a {colour} {thing} and some {food} at the {place}",
]

SLOTS = {
    "person": "sister brother mother father friend uncle aunt neighbour teacher".split(),
    "name": "anna maria peter david lena omar".split(),
    "food": "tea coffee rice bread fruit cheese soup".split(),
    "taste": "hot cold good sweet".split(),
    "weather": "fine warm cold wet".split(),
    "mood": "happy tired busy well".split(),
    "colour": "red green blue white".split(),
    "thing": "car bicycle boat hat door".split(),
    "place": "market school station office river".split(),
    "day": "monday tuesday wednesday thursday friday saturday sunday".split(),
}

NEAREST, FARTHEST = 3, 50  # words between the country and the answer, in training
HELD_OUT = 0.1  # of the combinations of a country, a statement and a question


class Sequence:
    """The words, and where in them the country and the answer are."""

    def __init__(self, words, country_at, distracted):
        self.words = words
        self.country_at = country_at
        self.answer_at = len(words) - 2  # before the last full stop
        self.distracted = distracted  # a filler names another country or language

    @property
    def distance(self):
        """The number of words between the country and the answer."""
        return self.answer_at - self.country_at - 1


def combinations():
    """(training, held out): two lists of (country, statement, question) without common members."""
    every = [(c, s, q) for c in COUNTRIES for s in STATEMENTS for q in QUESTIONS]
    random.Random(1997).shuffle(every)
    held_out = int(len(every) * HELD_OUT)
    return every[held_out:], every[:held_out]


def fill(template, rng, country):
    """The words of a template. {other} and {tongue} never agree with the country of the speaker."""
    words = []
    for word in template.split():
        if word == "{other}":
            word = rng.choice([c for c in COUNTRIES if LANGUAGE_OF[c] != LANGUAGE_OF[country]])
        elif word == "{tongue}":
            word = rng.choice([name for name in LANGUAGES if name != LANGUAGE_OF[country]])
        elif word == "{country}":
            word = country
        elif word.startswith("{"):
            word = rng.choice(SLOTS[word[1:-1]])
        words.append(word)
    return words


def sequence(rng, combination, nearest=NEAREST, farthest=FARTHEST, distractors=0.25):
    """One sequence; its distance is at most `farthest` and, where that's possible, near a number
    drawn evenly from the range. `distractors` is the share of fillers that are distractors."""
    country, statement, question = combination
    distracted = False
    words = []
    if rng.random() < 0.3:
        words += fill(rng.choice(OPENINGS), rng, country) + [STOP]
    if rng.random() < 0.15:  # another country may also come first
        distracted = rng.random() < 0.5
        words += fill(rng.choice(DISTRACTORS if distracted else FILLERS), rng, country) + [STOP]
    stated = fill(statement, rng, country)
    country_at = len(words) + stated.index(country)
    words += stated

    question = question.split()
    room = rng.randint(nearest, farthest) - (len(words) - country_at - 1) - 1 - len(question)
    may_join = True
    while True:
        distracts = rng.random() < distractors
        filler = fill(rng.choice(DISTRACTORS if distracts else FILLERS), rng, country)
        room -= 1 + len(filler)
        if room < 0:
            break
        # Now and then "and" instead of a full stop, but not twice in a row.
        joined = may_join and rng.random() < 0.2
        words += ["and" if joined else STOP] + filler
        may_join = not joined and not distracts
        distracted |= distracts
    # "and" before the question would move "here" to a distractor's country.
    words += ["and" if may_join and rng.random() < 0.2 else STOP] + question
    return Sequence(words + [LANGUAGE_OF[country], STOP], country_at, distracted)


def sequences(count, seed, combinations, **options):
    rng = random.Random(seed)
    return [sequence(rng, rng.choice(combinations), **options) for _ in range(count)]


def vocabulary():
    """All words, the full stop first: its number is 0."""
    words = {STOP, "and", *LANGUAGES, *COUNTRIES}
    for template in STATEMENTS + QUESTIONS + OPENINGS + DISTRACTORS + FILLERS:
        words.update(word for word in template.split() if not word.startswith("{"))
    for choices in SLOTS.values():
        words.update(choices)
    return sorted(words, key=lambda word: (word != STOP, word))


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for s in sequences(count, seed, combinations()[0]):
        print(" ".join(s.words))
