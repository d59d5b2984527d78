package io.github.cellfuse.cli.demo;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.Tier;
import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.cli.OutputFile;
import io.github.cellfuse.cli.Version;
import io.github.cellfuse.cli.demo.LanguageModel.Prediction;
import io.github.cellfuse.cli.graph.RecordedPart;
import io.github.cellfuse.cli.trace.CellOrigins;
import io.github.cellfuse.cli.trace.StepLabels;
import io.github.cellfuse.cli.trace.StepWindow;
import io.github.cellfuse.cli.trace.TraceDocument;
import io.github.cellfuse.cli.trace.TracedBatch;
import io.github.cellfuse.format.file.TextFile;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.onnx.graph.Tensor;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cellfuse demo}: shows what a memory cell is for. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        header = "See an LSTM remember: a small language model completes a sentence.",
        description = {
            "",
            "After \"I stay in India.\" and other sentences comes \"I speak\". The next word depends on a word that"
                    + " is far back, which only the memory cell still holds. The model is trained"
                    + " (examples/language); its LSTM runs on the device, and the bits are compared with java's.",
            "",
            "Also writes the page that 'cellfuse trace' makes, with the cells of these sentences.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  cellfuse demo",
            "  cellfuse demo \"I live in France. My sister works in Japan. I speak\"",
            "  cellfuse demo --words"
        })
public final class DemoCommand implements Runnable {
    private static final Path PAGE = Path.of("cellfuse-demo.html");

    /** They differ in the first country alone. */
    private static final List<String> SENTENCES = Stream.of("India", "Brazil")
            .map(country -> "I stay in " + country + ". My sister works in France. The weather is warm today."
                    + " On Saturday we play football near the river. I speak")
            .toList();

    private static final int SHOWN = 3, BAR = 30;

    /**
     * The word on which a prediction depends most.
     *
     * @param step the word's step
     * @param probability of the predicted word without it
     * @param predicted the predicted word
     */
    private record Influence(int step, double probability, Prediction predicted) {}

    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "0..*",
            paramLabel = "SENTENCE",
            description = "The beginning of a text, in words that the model knows.")
    private List<String> sentence;

    @Option(
            names = "--html",
            paramLabel = "F.html",
            description = "The page's file. Default: cellfuse-demo.html in the current folder, which is replaced.")
    private Path html;

    @Option(names = "--overwrite", description = "Replace F.html if it exists.")
    private boolean overwrite;

    @Option(names = "--words", description = "List the words that the model knows.")
    private boolean listsWords;

    @Mixin
    private DeviceOption device;

    DemoCommand() {}

    @Override
    public void run() {
        LanguageModel language = LanguageModel.load();
        PrintWriter out = spec.commandLine().getOut();
        if (listsWords) {
            language.vocabulary().forEach(out::println);
            return;
        }
        Path page = html == null ? PAGE : html;
        OutputFile.check(page, html == null || overwrite, List.of(".html", ".htm"));
        List<List<String>> sentences = sentence == null
                ? SENTENCES.stream().map(language::words).toList()
                : List.of(language.words(String.join(" ", sentence)));
        Map<String, Tensor> inputs = Map.of(LanguageModel.TOKENS, language.tokens(sentences));
        RecordedPart lstm = RecordedPart.of(language.graph(), inputs).get(0);
        DeviceOption.Choice choice = device.settle(lstm.model());
        say("device " + choice.device() + ": " + choice.reason());
        Tensor logits;
        List<Influence> influences;
        try (OnnxSession session = language.graph().session(model -> device.open(choice, model))) {
            logits = session.run(inputs).get(LanguageModel.LOGITS);
            influences = influences(session, language, sentences, logits);
        }
        TracedBatch trace;
        Tier tier;
        try (LstmEngine engine = device.open(choice, lstm.model())) {
            trace = trace(engine, lstm.batch(), sentences);
            tier = engine.tier();
        }
        for (int n = 0; n < sentences.size(); n++) {
            List<String> words = sentences.get(n);
            print(out, words, language.next(logits, n, words.size(), SHOWN), influences.get(n), trace, n);
        }
        checkBits(out, language, inputs, choice, tier, logits);
        write(page, choice, sentences, trace, influences);
        out.println();
        out.println("Next: cellfuse demo \"I live in Japan. I speak\", or look inside your own model:");
        out.println("      cellfuse trace MODEL INPUT --html trace.html");
    }

    private static TracedBatch trace(LstmEngine engine, LstmInput batch, List<List<String>> sentences) {
        int[] lengths = sentences.stream().mapToInt(List::size).toArray();
        int[] rows = IntStream.range(0, lengths.length).toArray();
        return TracedBatch.run("", engine, batch.withLengths(lengths), rows);
    }

    /**
     * Finds the words on which the predictions depend: each sentence is run without each of its words, as one batch.
     *
     * @return by sentence the word without which the predicted one loses the most
     */
    private static List<Influence> influences(
            OnnxSession session, LanguageModel language, List<List<String>> sentences, Tensor logits) {
        List<Influence> influences = new ArrayList<>();
        for (int n = 0; n < sentences.size(); n++) {
            List<String> words = sentences.get(n);
            Prediction best = language.next(logits, n, words.size(), 1).get(0);
            if (words.size() == 1) {
                influences.add(new Influence(0, best.probability(), best));
                continue;
            }
            List<List<String>> without = new ArrayList<>();
            for (int left = 0; left < words.size(); left++) {
                List<String> rest = new ArrayList<>(words);
                rest.remove(left);
                without.add(rest);
            }
            Tensor changed = session.run(Map.of(LanguageModel.TOKENS, language.tokens(without)))
                    .get(LanguageModel.LOGITS);
            double[] left = IntStream.range(0, words.size())
                    .mapToDouble(k -> language.probability(changed, k, words.size() - 1, best.word()))
                    .toArray();
            int most = 0;
            for (int k = 1; k < left.length; k++) {
                most = left[k] < left[most] ? k : most;
            }
            influences.add(new Influence(most, left[most], best));
        }
        return influences;
    }

    /** Prints a sentence with its next words and the word on which they depend. */
    private static void print(
            PrintWriter out,
            List<String> words,
            List<Prediction> predictions,
            Influence influence,
            TracedBatch trace,
            int row) {
        out.println(String.join(" ", words) + " …");
        for (Prediction next : predictions) {
            out.println(String.format(
                            Locale.ROOT, "  %-14s %5.1f %%  %s", next.word(), 100 * next.probability(), "#".repeat((int)
                                            Math.round(BAR * next.probability())))
                    .stripTrailing());
        }
        int back = words.size() - influence.step();
        String word = words.get(influence.step());
        if (words.size() > 1) {
            double kept = CellOrigins.kept(trace, trace.model().layerCount() - 1, row)[influence.step()];
            out.println(String.format(
                    Locale.ROOT,
                    "  It depends on \"%s\", %s back: without it, %s has %.1f %%.",
                    word,
                    Numbers.count(back, "word"),
                    influence.predicted().word(),
                    100 * influence.probability()));
            out.println(String.format(
                    Locale.ROOT, "  The cells still hold %.0f %% of what \"%s\" wrote.", 100 * kept, word));
        }
        out.println();
    }

    private void checkBits(
            PrintWriter out,
            LanguageModel language,
            Map<String, Tensor> inputs,
            DeviceOption.Choice choice,
            Tier tier,
            Tensor logits) {
        if (choice.device().equals(Device.JAVA)) {
            out.println("Computed by java, whose bits the other devices have to match.");
            return;
        }
        EngineOptions options = new EngineOptions(Optional.empty(), 0, device.weights());
        try (OnnxSession java = language.graph().session(Device.JAVA, options)) {
            Tensor expected = java.run(inputs).get(LanguageModel.LOGITS);
            if (expected.bytes().equals(logits.bytes())) {
                out.println("Bits: all " + logits.elementCount() + " values equal those of java.");
            } else if (tier == Tier.TOLERANCE) {
                out.println("Bits: some differ from java's; this device only keeps the error bound.");
            } else {
                throw new CellFuseException("the results of " + choice.device()
                        + " don't have java's bits; 'cellfuse verify' says where they differ");
            }
        }
    }

    private void write(
            Path page,
            DeviceOption.Choice choice,
            List<List<String>> sentences,
            TracedBatch trace,
            List<Influence> influences) {
        Map<Integer, List<String>> labels = new HashMap<>();
        IntStream.range(0, sentences.size()).forEach(n -> labels.put(n, sentences.get(n)));
        TraceDocument document = new TraceDocument(
                "The language model of the demo",
                choice.device() + " (" + choice.reason() + ")",
                "The model has read these words and predicts “"
                        + influences.get(0).predicted().word() + "”; the prediction depends most on the marked word.",
                List.of(trace),
                StepLabels.byRow(labels),
                influences.stream().map(Influence::step).toList(),
                OptionalInt.empty(),
                StepWindow.ALL);
        TextFile.write(page, html == null || overwrite, document.page());
        spec.commandLine().getOut().println("Page: " + page + " shows the cells; open it in a browser.");
    }

    private void say(String message) {
        spec.commandLine().getErr().println("cellfuse: " + message);
    }
}
