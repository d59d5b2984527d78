package io.github.cellfuse.cli.demo;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.Tier;
import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.cli.OutputFile;
import io.github.cellfuse.cli.Version;
import io.github.cellfuse.cli.demo.LanguageModel.Prediction;
import io.github.cellfuse.cli.graph.GraphDevice;
import io.github.cellfuse.cli.trace.CellOrigins;
import io.github.cellfuse.cli.trace.StepLabels;
import io.github.cellfuse.cli.trace.StepWindow;
import io.github.cellfuse.cli.trace.TraceDocument;
import io.github.cellfuse.cli.trace.TracedBatch;
import io.github.cellfuse.cli.trace.TracedLstm;
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
     * What the cells remember best of the older half of a sentence.
     *
     * @param step the word's step
     * @param kept the share of what it wrote that is left after the last word
     */
    private record Memory(int step, double kept) {
        static List<Memory> of(TracedBatch trace) {
            return IntStream.range(0, trace.input().rows())
                    .mapToObj(row -> of(trace, row))
                    .toList();
        }

        private static Memory of(TracedBatch trace, int row) {
            double[] kept = CellOrigins.kept(trace, trace.model().layerCount() - 1, row);
            int best = 0;
            for (int step = 1; step < kept.length / 2; step++) {
                best = kept[step] > kept[best] ? step : best;
            }
            return new Memory(best, kept[best]);
        }
    }

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
        GraphDevice opener = new GraphDevice(device, this::say);
        int[] lengths = sentences.stream().mapToInt(List::size).toArray();
        Tensor logits;
        TracedBatch trace;
        Tier tier;
        List<TracedLstm> lstms = new ArrayList<>(); // one: the model's only LSTM
        try (JavaRun java = JavaRun.start(language, inputs, device.weights());
                OnnxSession session = language.graph().session(model -> {
                    lstms.add(TracedLstm.of(opener.open(model)));
                    return lstms.get(0);
                })) {
            logits = session.run(inputs).get(LanguageModel.LOGITS);
            boolean hasSameBits = java.logits().bytes().equals(logits.bytes());
            trace = lstms.get(0).last(lengths, hasSameBits);
            tier = lstms.get(0).tier();
        }
        DeviceOption.Choice choice = opener.choice();
        List<Memory> memories = Memory.of(trace);
        for (int n = 0; n < sentences.size(); n++) {
            List<String> words = sentences.get(n);
            print(out, words, language.next(logits, n, words.size(), SHOWN), memories.get(n));
        }
        checkBits(out, trace, choice, tier, logits);
        write(page, choice, sentences, trace, memories);
        out.println();
        out.println("Next: cellfuse demo \"I live in Japan. I speak\", or look inside your own model:");
        out.println("      cellfuse trace MODEL INPUT --html trace.html");
    }

    /** Prints a sentence with its next words, and what the cells remember. */
    private static void print(PrintWriter out, List<String> words, List<Prediction> predictions, Memory memory) {
        out.println(String.join(" ", words) + " ...");
        for (Prediction next : predictions) {
            out.println(String.format(
                            Locale.ROOT, "  %-14s %5.1f %%  %s", next.word(), 100 * next.probability(), "#".repeat((int)
                                            Math.round(BAR * next.probability())))
                    .stripTrailing());
        }
        if (words.size() > 1) {
            out.println(String.format(
                    Locale.ROOT,
                    "  Of the older words, the cells remember \"%s\" best: %.0f %% of what it wrote is left after %s.",
                    words.get(memory.step()),
                    100 * memory.kept(),
                    Numbers.count(words.size() - 1 - memory.step(), "word")));
        }
        out.println();
    }

    private static void checkBits(
            PrintWriter out, TracedBatch trace, DeviceOption.Choice choice, Tier tier, Tensor logits) {
        boolean isExact = tier != Tier.TOLERANCE;
        if (!trace.hasSameBits() && isExact) {
            throw new CellFuseException("the results of " + choice.device()
                    + " don't have java's bits; 'cellfuse verify' says where they differ");
        }
        if (choice.device().equals(Device.JAVA)) {
            out.println("Computed by java, whose bits the other devices have to match.");
        } else if (trace.hasSameBits()) {
            out.println("Bits: all " + logits.elementCount() + " values equal those of java.");
        } else {
            out.println("Bits: some differ from java's; this device only keeps the error bound.");
        }
    }

    private void write(
            Path page,
            DeviceOption.Choice choice,
            List<List<String>> sentences,
            TracedBatch trace,
            List<Memory> memories) {
        Map<Integer, List<String>> labels = new HashMap<>();
        IntStream.range(0, sentences.size()).forEach(n -> labels.put(n, sentences.get(n)));
        TraceDocument document = new TraceDocument(
                "The language model of the demo",
                choice.device() + " (" + choice.reason() + ")",
                "A language model has read these words and predicts the next one.",
                "a normal run on java",
                List.of(trace),
                StepLabels.byRow(labels),
                memories.stream().map(Memory::step).toList(),
                OptionalInt.empty(),
                StepWindow.ALL);
        TextFile.write(page, html == null || overwrite, document.page());
        spec.commandLine().getOut().println("Page: " + page + " shows the cells; open it in a browser.");
    }

    private void say(String message) {
        spec.commandLine().getErr().println("cellfuse: " + message);
    }
}
