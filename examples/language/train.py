#!/usr/bin/python3
"""Trains the toy language model and writes the files of this folder; the README tells the story.

Usage: train.py [FOLDER]      needs torch (Debian: python3-torch libopenblas0-pthread)

The seeds and the number of threads are fixed, so that one machine gives one model. Another release
of PyTorch, another BLAS or another processor may round differently and train a slightly different
one; the files in the repository belong together.
"""
import math
import sys
import time
import warnings
from pathlib import Path

import torch

import corpus

SEED = 1997  # the year of the paper on LSTM
EMBEDDING = 32
HIDDEN = 64  # H
BATCH = 32
EPOCH = 6000  # sequences, new ones in each epoch
LEARNING_RATE = 1e-2
FIRST_FARTHEST = 5  # the first epochs see no longer distances
GROWTH = 1.5  # of the distance, when an epoch was answered well
ANSWERED_WELL = 0.9
LAST_EPOCHS = 20  # with all distances, while the learning rate falls to zero
PATIENCE = 60  # epochs in which the distances must have grown to all

SHOWN = (
    "i stay in india . my sister works in france . the tea is hot ."
    " on monday we play football near the school . i speak"
)
EXAMPLES = [
    "i stay in india . i speak",
    SHOWN,
    "i stay in france . my sister works in japan . i speak",
    "my brother lives in germany . i live in brazil . it is late . the people here speak",
    "japan is my home and i like tea . my friend speaks a little english . my mother tongue is",
    "i stay in india",
    "i stay in india .",
    # Beyond the grammar: no statement at all, and a question about somebody else.
    "my sister works in france . i speak",
    "i live in spain . my sister is from japan . my sister speaks a little",
]

here = Path(__file__).resolve().parent


class LanguageModel(torch.nn.Module):
    """tokens [N, T] -> logits [N, T, V] of the word that follows each."""

    def __init__(self, words):
        super().__init__()
        self.embedding = torch.nn.Embedding(words, EMBEDDING)
        self.lstm = torch.nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.head = torch.nn.Linear(HIDDEN, words)
        # A forget gate with the bias log t keeps its cell for about t steps. The units begin with
        # all spans up to the farthest, so that some keep a country long enough to be rewarded for
        # it (Tallec and Ollivier, "Can recurrent neural networks warp time?", 2018).
        with torch.no_grad():
            bias = torch.log(1 + torch.rand(HIDDEN) * (corpus.FARTHEST - 1))
            self.lstm.bias_hh_l0.zero_()
            self.lstm.bias_ih_l0[:HIDDEN] = -bias  # PyTorch's order of the gates is i, f, g, o
            self.lstm.bias_ih_l0[HIDDEN : 2 * HIDDEN] = bias

    def forward(self, tokens):
        y, _ = self.lstm(self.embedding(tokens))
        return self.head(y)


class Batch:
    """Sequences of one batch, padded at their ends to the longest.

    No token is set apart for padding: the LSTM reads forward, so what follows a sequence can't
    change the predictions inside it, and the loss leaves the padded steps out.
    """

    def __init__(self, sequences, number):
        steps = max(len(s.words) for s in sequences)
        self.tokens = torch.zeros(len(sequences), steps, dtype=torch.long)
        self.next = torch.full((len(sequences), steps), -100)  # which cross_entropy ignores
        self.rows = torch.arange(len(sequences))
        self.asked_at = torch.tensor([s.answer_at - 1 for s in sequences])
        for row, s in enumerate(sequences):
            ids = torch.tensor([number[word] for word in s.words])
            self.tokens[row, : len(ids)] = ids
            self.next[row, : len(ids) - 1] = ids[1:]

    def answered(self, logits):
        """For each sequence, whether the most probable word at the question is the answer."""
        guess = logits[self.rows, self.asked_at].argmax(-1)
        return guess == self.next[self.rows, self.asked_at]


def batches(sequences, number, size=BATCH):
    """Sequences of similar lengths share a batch, so that little is padded."""
    ordered = sorted(sequences, key=lambda s: len(s.words))
    return [Batch(ordered[k : k + size], number) for k in range(0, len(ordered), size)]


def train(model, number, combinations):
    """Epochs of short distances first: from the start at 50 words, the answer's error is too weak a
    signal, and the model settles for the most frequent language. Returns the number of epochs."""
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    farthest, share, left = FIRST_FARTHEST, 0.0, LAST_EPOCHS
    for epoch in range(PATIENCE + LAST_EPOCHS):
        if share > ANSWERED_WELL and farthest < corpus.FARTHEST:
            farthest = min(corpus.FARTHEST, math.ceil(farthest * GROWTH))
        if farthest == corpus.FARTHEST:
            for group in optimizer.param_groups:
                group["lr"] = LEARNING_RATE * (1 + math.cos(math.pi * (1 - left / LAST_EPOCHS))) / 2
            left -= 1
        data = batches(corpus.sequences(EPOCH, epoch, combinations, farthest=farthest), number)
        total, hits = 0.0, 0
        for k in torch.randperm(len(data)).tolist():
            batch = data[k]
            logits = model(batch.tokens)
            loss = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), batch.next.flatten(), ignore_index=-100
            )
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
            hits += batch.answered(logits).sum().item()
        share = hits / EPOCH
        print(
            f"epoch {epoch + 1:2}  distance up to {farthest:2}  loss {total / len(data):.3f}"
            f"  answered {share:.3f}",
            flush=True,
        )
        if left == 0:
            return epoch + 1
    raise SystemExit("error: the distance never reached all of the range; no file was written")


def accuracy(model, number, sequences):
    """The share of right answers as text, with the number of sequences; - if there are none."""
    if not sequences:
        return "-"
    with torch.no_grad():
        hits = sum(
            batch.answered(model(batch.tokens)).sum().item()
            for batch in batches(sequences, number, 256)
        )
    return f"{100 * hits / len(sequences):.2f} % of {len(sequences)}"


def cells(lstm, x):
    """The cell states and the forget gates of every step, both [N, T, H]; x is [N, T, E].

    PyTorch returns only the last cell state, so the LSTM's equations stand here once more.
    """
    h = c = torch.zeros(len(x), HIDDEN)
    states, forgets = [], []
    for step in range(x.shape[1]):
        gates = (
            x[:, step] @ lstm.weight_ih_l0.t()
            + lstm.bias_ih_l0
            + h @ lstm.weight_hh_l0.t()
            + lstm.bias_hh_l0
        )
        i, f, g, o = gates.chunk(4, 1)
        f = torch.sigmoid(f)
        c = f * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        states.append(c)
        forgets.append(f)
    return torch.stack(states, 1), torch.stack(forgets, 1)


def kept(model, number, sequences):
    """What the cells hold of the country: C after the country and C at the question, both [N, H],
    and each unit's mean forget gate between the two [H]."""
    with torch.no_grad():
        batch = Batch(sequences, number)
        states, forgets = cells(model.lstm, model.embedding(batch.tokens))
    steps = torch.arange(states.shape[1])
    country_at = torch.tensor([s.country_at for s in sequences])
    between = (steps > country_at[:, None]) & (steps <= batch.asked_at[:, None])
    return (
        states[batch.rows, country_at],
        states[batch.rows, batch.asked_at],
        forgets[between].mean(0),
    )


def languages(sequences):
    names = list(corpus.LANGUAGES)
    return torch.tensor([names.index(s.words[s.answer_at]) for s in sequences])


def explained(values, language):
    """For each unit, the share of its variance that lies between the languages [H]."""
    mean, within = values.mean(0), torch.zeros(values.shape[1])
    for k in language.unique():
        group = values[language == k]
        within += ((group - group.mean(0)) ** 2).sum(0)
    return 1 - within / ((values - mean) ** 2).sum(0)


def correlation(a, b):
    """Of each column of two matrices [N, H]: [H]."""
    a, b = a - a.mean(0), b - b.mean(0)
    return (a * b).sum(0) / (a.pow(2).sum(0) * b.pow(2).sum(0)).sqrt()


def nearest(fitted, fitted_language, values, language):
    """How often the nearest of the languages' mean states is the right one."""
    every = range(len(corpus.LANGUAGES))
    means = torch.stack([fitted[fitted_language == k].mean(0) for k in every])
    deviation = fitted.std(0)
    guess = torch.cdist(values / deviation, means / deviation).argmin(1)
    return (guess == language).double().mean().item()


def transplanted(model, number, sequences, units):
    """How often a sequence gives the answer of another if, one word after the country, these units'
    cell states are replaced with those of the other; and how often it still gives its own."""
    names = list(number)
    count = own = others = 0
    with torch.no_grad():
        for host, donor in zip(sequences[::2], sequences[1::2]):
            answers = [s.words[s.answer_at] for s in (host, donor)]
            if answers[0] == answers[1]:
                continue
            ids = [torch.tensor([[number[w] for w in s.words]]) for s in (host, donor)]
            cut, donor_cut = host.country_at + 2, donor.country_at + 2
            _, (h, c) = model.lstm(model.embedding(ids[0][:, :cut]))
            _, (_, donor_c) = model.lstm(model.embedding(ids[1][:, :donor_cut]))
            c[..., units] = donor_c[..., units]
            y, _ = model.lstm(model.embedding(ids[0][:, cut : host.answer_at]), (h, c))
            guess = names[model.head(y[0, -1]).argmax()]
            count += 1
            own += guess == answers[0]
            others += guess == answers[1]
    return others / count, own / count, count


def report(model, number, held_out, training, epochs, seconds):
    lines = []
    say = lambda line: lines.append(line.rstrip())
    parameters = sum(p.numel() for p in model.parameters())
    say(f"words {len(number)}, parameters {parameters}, hidden units {HIDDEN}")
    say(f"{epochs} epochs of {EPOCH} sequences, {seconds:.0f} s")
    say("")
    say("Right answers, held-out combinations of country, statement and question")
    say("")
    say(f"{'words between':13}  {'all':18}  {'no distractor':18}  {'with distractors':18}")
    # Half of the set has no distractor at all: long sequences would hardly ever be without.
    near = corpus.sequences(6000, "near", held_out)
    near += corpus.sequences(6000, "near, plain", held_out, distractors=0)
    ranges = [(3, 10), (11, 20), (21, 30), (31, 40), (41, 50)]
    sets = [near] * len(ranges)
    for low, high in [(51, 75), (76, 100), (101, 200), (201, 400)]:
        ranges.append((low, high))
        name = f"up to {high}"
        far = corpus.sequences(1000, name, held_out, nearest=low, farthest=high)
        options = {"nearest": low, "farthest": high, "distractors": 0}
        sets.append(far + corpus.sequences(1000, name + ", plain", held_out, **options))
    for (low, high), chosen in zip(ranges, sets):
        chosen = [s for s in chosen if low <= s.distance <= high]
        plain = [s for s in chosen if not s.distracted]
        distracted = [s for s in chosen if s.distracted]
        row = [accuracy(model, number, some) for some in (chosen, plain, distracted)]
        beyond = "  beyond training" if low > corpus.FARTHEST else ""
        say(f"{f'{low} to {high}':13}  {row[0]:18}  {row[1]:18}  {row[2]:18}{beyond}")
    plain = [s for s in near if not s.distracted]
    distracted = [s for s in near if s.distracted]
    row = [accuracy(model, number, some) for some in (near, plain, distracted)]
    say(f"{'3 to 50':13}  {row[0]:18}  {row[1]:18}  {row[2]:18}")

    say("")
    fitted = corpus.sequences(4000, "fitted", training, nearest=20)
    judged = corpus.sequences(4000, "judged", held_out, nearest=20)
    _, fitted_asked, _ = kept(model, number, fitted)
    after, asked, forget = kept(model, number, judged)
    share = explained(asked, languages(judged))
    alike = correlation(after, asked)
    say("Units, sorted by how much of C at the question the language explains")
    say("(held-out sequences, 20 to 50 words between)")
    say("")
    say("unit  explained  mean forget gate  correlation of C after the country")
    say("                 in between        and C at the question")
    for unit in share.argsort(descending=True)[:16].tolist():
        say(f"{unit:4}  {100 * share[unit]:7.1f} %  {forget[unit]:16.4f}  {alike[unit]:6.3f}")
    say("")
    keeps = (share > 0.8) & (forget > 0.99)
    keepers, rest = keeps.nonzero()[:, 0], (~keeps).nonzero()[:, 0]
    say(f"Keepers (explained > 80 %, forget gate > 0.99): {', '.join(map(str, keepers.tolist()))}")
    for name, units in [("the keepers", keepers), ("all other units", rest)]:
        read = nearest(
            fitted_asked[:, units], languages(fitted), asked[:, units], languages(judged)
        )
        say(f"The nearest mean of C at the question, {name}: {100 * read:.1f} % of the languages")
    for name, units in [("the keepers", keepers), ("all other units", rest)]:
        others, own, count = transplanted(model, number, judged[:2000], units)
        say(
            f"C of {name} from another sequence, after the country: {100 * others:.1f} % answer"
            f" as the other, {100 * own:.1f} % as before, of {count}"
        )
    say("")
    say("C of the keepers")
    say("")
    say(f"{'':10}" + "".join(f"{unit:7}" for unit in keepers.tolist()))
    words = SHOWN.split()
    with torch.no_grad():
        states, _ = cells(model.lstm, model.embedding(torch.tensor([[number[w] for w in words]])))
    for word, state in zip(words, states[0]):
        say(f"{word:10}" + "".join(f"{c:7.2f}" for c in state[keepers].tolist()))
    say("")
    say("The three most probable words after")
    say("")
    for text in EXAMPLES:
        with torch.no_grad():
            logits = model(torch.tensor([[number[word] for word in text.split()]]))
        best = logits[0, -1].softmax(0).topk(3)
        say(text)
        for p, k in zip(best.values.tolist(), best.indices.tolist()):
            say(f"    {list(number)[k]:12} {100 * p:6.2f} %")
    return "\n".join(lines) + "\n"


def export(model, path):
    example = torch.zeros(2, 3, dtype=torch.long)
    with warnings.catch_warnings():
        # The exporter warns of states whose batch is fixed. Here there are none: they are zeros of
        # the input's batch.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (example,),
            str(path),
            opset_version=14,
            input_names=["tokens"],
            output_names=["logits"],
            dynamic_axes={"tokens": {0: "N", 1: "T"}, "logits": {0: "N", 1: "T"}},
        )


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else here
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # the order of the sums, and with it the bits, depends on it
    words = corpus.vocabulary()
    number = {word: k for k, word in enumerate(words)}
    training, held_out = corpus.combinations()
    model = LanguageModel(len(words))

    start = time.monotonic()
    epochs = train(model, number, training)
    seconds = time.monotonic() - start

    model.eval()
    text = report(model, number, held_out, training, epochs, seconds)
    print(text, end="")
    (folder / "report.txt").write_text(text, encoding="utf-8")
    (folder / "vocabulary.txt").write_text("".join(w + "\n" for w in words), encoding="utf-8")
    export(model, folder / "model.onnx")


if __name__ == "__main__":
    main()
