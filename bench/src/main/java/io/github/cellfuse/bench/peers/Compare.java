package io.github.cellfuse.bench.peers;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.bench.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench/compare}: CellFuse against its peers, in turns. */
@Command(
        name = "bench/compare",
        header = "Time CellFuse against oneDNN, ONNX Runtime and PyTorch on this processor, in turns.",
        description = {
            "",
            "One forward layer on random data, the same for all; then, by those that run ONNX graphs, a whole"
                    + " tagger that PyTorch exported: an embedding, two bidirectional layers, a linear one; and a"
                    + " voice-activity model over the frames of recorded streams. Results are compared before"
                    + " anything is timed: a peer that differs is left out of that shape, and if all differ,"
                    + " nothing is timed. Times are medians over the rounds; the ratio is the best peer's time over"
                    + " CellFuse's, paired by rounds: above 1, CellFuse is faster. docs/lab/benchmarking.md has the"
                    + " details.",
            "",
            "bench/compare --gpu is another command: on a GPU, against torch.nn.LSTM and ONNX Runtime on CUDA;"
                    + " bench/compare --gpu --help.",
            ""
        })
final class Compare implements Callable<Integer> {
    private static final String BEST = "best";
    /** The tagger's, of which T and N are free. */
    private static final Shape TAGGER = new Shape(32, 256, Tagger.FEATURES, Tagger.UNITS),
            QUICK_TAGGER = new Shape(4, 8, Tagger.FEATURES, Tagger.UNITS);

    /** Ten minutes of one stream, and 32 seconds of each of many. */
    private static final List<Shape> VOICES = List.of(Voice.shape("1,18750"), Voice.shape("64,1000")),
            QUICK_VOICES = List.of(Voice.shape("2,20"));

    @Mixin
    private ContestOptions options = new ContestOptions();

    @Option(
            names = "--shape",
            paramLabel = "T,N,I,H",
            description = "Time steps, rows, features, hidden units; may be given more than once. Default: twelve"
                    + " shapes, the tagger, and the voice-activity model.")
    private List<String> shapes = List.of();

    @Option(names = "--tagger", paramLabel = "T,N", description = "The tagger at this size; without --shape alone.")
    private String tagger;

    @Option(
            names = "--voice",
            paramLabel = "N,T",
            description = "The voice-activity model on N streams of T frames; may be given more than once; without"
                    + " --shape alone. Default: 1,18750 and 64,1000.")
    private List<String> voices = List.of();

    @Option(
            names = "--voice-model",
            paramLabel = "FILE",
            description = "A silero_vad_v5.onnx in the place of random weights.")
    private Path voiceModel;

    @Option(
            names = "--alone",
            paramLabel = "NAME",
            description =
                    "One contender by itself: ours, onednn, ort or pytorch. Shows that taking turns slows nobody down.")
    private String alone;

    @Option(names = "--threads", paramLabel = "N", description = "Of each contender. Default: one for each core.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            defaultValue = "opencl",
            description = "CellFuse's device. Default: ${DEFAULT-VALUE}.")
    private String device = "opencl";

    @Option(
            names = "--waiting",
            paramLabel = "WAY",
            description = "What the peers' threads do while they wait within a run: spin, sleep, or best, which"
                    + " tries both for each"
                    + " shape and takes the faster. Default: best.")
    private String waiting = BEST;

    public static void main(String[] args) {
        System.exit(Commands.execute(new Compare(), args));
    }

    @Override
    public Integer call() throws IOException {
        options.check();
        if (threads < 1) {
            throw new InvalidInputException("--threads: expected at least 1, found " + threads);
        }
        Map<Task, List<Shape>> sizes = sizes();
        checkVoiceModel(sizes.get(Task.VOICE));
        List<Contender> wanted = alone == null ? Arrays.asList(Contender.values()) : List.of(Contender.of(alone));
        return Commands.inTemporaryFolder(folder -> {
            run(sizes, wanted, folder);
            return 0;
        });
    }

    /** Returns the sizes of each task: those that were asked for, or all. */
    private Map<Task, List<Shape>> sizes() {
        boolean isChosen = !shapes.isEmpty() || tagger != null || !voices.isEmpty();
        Map<Task, List<Shape>> sizes = new EnumMap<>(Task.class);
        if (isChosen) {
            sizes.put(Task.LAYER, shapes.stream().map(Shape::parse).toList());
            sizes.put(
                    Task.TAGGER,
                    Stream.ofNullable(tagger)
                            .map(text -> Shape.parse(text + "," + Tagger.FEATURES + "," + Tagger.UNITS))
                            .toList());
            sizes.put(Task.VOICE, voices.stream().map(Voice::shape).toList());
        } else {
            sizes.put(Task.LAYER, options.usualLayers());
            sizes.put(Task.TAGGER, List.of(options.isQuick() ? QUICK_TAGGER : TAGGER));
            sizes.put(Task.VOICE, options.isQuick() ? QUICK_VOICES : VOICES);
        }
        return sizes;
    }

    private void checkVoiceModel(List<Shape> sizes) {
        if (voiceModel == null) {
            return;
        }
        if (sizes.isEmpty()) {
            throw new InvalidInputException("--voice-model: expected --voice beside it, because the other options leave"
                    + " the voice-activity model out");
        }
        if (!Files.isReadable(voiceModel)) {
            throw new InvalidInputException("--voice-model: expected a file that can be read, found " + voiceModel);
        }
    }

    private List<Waiting> waysOfWaiting() {
        List<Waiting> ways = Arrays.stream(Waiting.values())
                .filter(way -> waiting.equals(BEST) || waiting.equals(way.key()))
                .toList();
        if (ways.isEmpty()) {
            throw new InvalidInputException("--waiting: expected best, spin or sleep, found '" + waiting + "'");
        }
        return ways;
    }

    private void run(Map<Task, List<Shape>> sizes, List<Contender> wanted, Path folder) {
        ContestReport report = new ContestReport(
                Machine.name(),
                threads,
                options.effort(),
                Optional.ofNullable(voiceModel),
                new EnumMap<>(Contender.class),
                new EnumMap<>(Contender.class),
                new ArrayList<>());
        System.out.println(report.machine() + ", " + threads + " threads, "
                + report.effort().rounds() + " rounds");
        for (Task task : Task.values()) {
            List<Contender> players =
                    wanted.stream().filter(contender -> contender.plays(task)).toList();
            play(task, sizes.get(task), players, report, folder);
        }
        System.out.println(report.summary());
        options.json().ifPresent(report::write);
    }

    /** All sizes of one task, by processes that are started for it. */
    private void play(Task task, List<Shape> sizes, List<Contender> wanted, ContestReport report, Path folder) {
        if (sizes.isEmpty() || wanted.isEmpty()) {
            return;
        }
        Settings settings = new Settings(
                task,
                threads,
                Waiting.SPIN,
                device,
                options.tuning(),
                folder.resolve("tuned"),
                Optional.ofNullable(voiceModel));
        List<Waiting> ways = waysOfWaiting();
        List<Team> teams = new ArrayList<>();
        try {
            for (Contender contender : wanted) {
                start(contender, settings, ways, folder, teams, report.missing());
            }
            if (teams.isEmpty()) {
                throw new CellFuseException("no contender runs here; see above");
            }
            for (Team team : teams) {
                if (report.versions().put(team.contender(), team.version()) == null) {
                    System.out.println(team.contender().title() + " " + team.version());
                }
            }
            System.out.println();
            System.out.println(ContestReport.header());
            Match match = new Match(task, teams, report.effort(), folder);
            for (Shape size : sizes) {
                ShapeResult result = match.play(size);
                report.results().add(result);
                System.out.println(ContestReport.line(result));
            }
        } finally {
            teams.forEach(Team::close);
        }
    }

    /** A peer without a native part for this platform is left out, with the reason; CellFuse is not. */
    private void start(
            Contender contender,
            Settings settings,
            List<Waiting> ways,
            Path folder,
            List<Team> teams,
            Map<Contender, String> missing) {
        try {
            teams.add(Team.start(contender, settings, ways, folder));
        } catch (CellFuseException e) {
            if (contender == Contender.OURS) {
                throw e;
            }
            missing.put(contender, e.getMessage());
            System.err.println("cellfuse: " + contender.title() + " is left out: " + e.getMessage());
        }
    }
}
