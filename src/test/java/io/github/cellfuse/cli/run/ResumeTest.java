package io.github.cellfuse.cli.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.cl.ChildJvm;
import io.github.cellfuse.cli.CellFuse;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.torch.PyTorchLstm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs that end before they are done, and are continued. */
class ResumeTest {
    private static final int ROWS = 6_000, STEPS = 40, INPUTS = 4;

    /** The whole suite kills more often. */
    private static final int KILLS = Boolean.getBoolean("cellfuse.long") ? 60 : 8;

    /** A line of the journal that names finished rows. */
    private static final Pattern FINISHED = Pattern.compile("(?m)^rows \\d+ \\d+ \\S+ \\S+$");

    @TempDir
    private static Path shared;

    private static Path wholeInput;
    /** The output of a run that nothing has interrupted. */
    private static byte[] expected;

    @TempDir
    private Path folder;

    private final long seed = Long.getLong("cellfuse.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private Path model, x, out;

    private static LstmModel model(long seed) {
        return RandomLstm.model(new Random(seed), Direction.FORWARD, 3, INPUTS, 32, false, true);
    }

    @BeforeAll
    static void runWithoutInterruption() throws IOException {
        Path model = shared.resolve("model.safetensors");
        PyTorchLstm.save(model(1), model, false, "");
        wholeInput = NpyFiles.floats(
                shared.resolve("x.npy"),
                RandomLstm.values(new Random(2), ROWS * STEPS * INPUTS, 1),
                ROWS,
                STEPS,
                INPUTS);
        Path whole = shared.resolve("expected.npz");
        Cli.run("run", model, wholeInput, "-o", whole, "--device", "java", "-q").assertDone();
        expected = Files.readAllBytes(whole);
    }

    @BeforeEach
    void makeFiles() throws IOException {
        model = folder.resolve("model.safetensors");
        PyTorchLstm.save(model(1), model, false, "");
        x = Files.copy(wholeInput, folder.resolve("x.npy"));
        out = folder.resolve("out.npz");
    }

    private String[] run(Object... more) {
        return Stream.concat(Stream.of("run", model, x, "-o", out, "--batch", 25, "--device", "java"), Stream.of(more))
                .map(Object::toString)
                .toArray(String[]::new);
    }

    /** Starts a process, with one thread: it should still be running when it is killed. */
    private static ChildJvm start(String... arguments) throws IOException {
        String[] all =
                Stream.concat(Stream.of(arguments), Stream.of("--threads", "1")).toArray(String[]::new);
        return ChildJvm.start(Map.of(), List.of(), CellFuse.class, all);
    }

    private Path partial() {
        return Path.of(out + ".partial");
    }

    private Path journal() {
        return Path.of(out + ".journal");
    }

    private void assertComplete() throws IOException {
        assertArrayEquals(expected, Files.readAllBytes(out), "seed " + seed);
        assertFalse(Files.exists(partial()) || Files.exists(journal()), NpyFiles.names(folder));
    }

    @Test
    void killedAtAnyMoment() throws Exception {
        int kills = 0, finished = 0, continued = 0;
        int longest = 1500; // ms; grows where a busy machine doesn't get as far as to finish rows
        while (kills < KILLS) {
            long before = journalBytes();
            ChildJvm child = start(run("--resume"));
            long wait = 200 + random.nextInt(longest);
            for (long slept = 0; slept < wait && !child.hasEnded(); slept += 5) {
                Thread.sleep(5);
            }
            if (child.hasEnded()) {
                ChildJvm.Result result = child.await(60);
                assertEquals(0, result.exit(), "seed " + seed + ": " + result);
                assertComplete();
                Files.delete(out);
                finished++;
            } else {
                child.kill();
                child.await(60);
                kills++;
                if (journalBytes() > before) {
                    continued++;
                } else {
                    longest += longest / 2;
                }
                if (Files.exists(out)) {
                    assertArrayEquals(expected, Files.readAllBytes(out), "seed " + seed);
                    finished++;
                    if (!Files.exists(journal())) {
                        Files.delete(out);
                    }
                }
            }
        }
        Cli.run((Object[]) run("--resume", "-q")).assertDone();
        assertComplete();
        assertTrue(finished + continued > 0, "no run got as far as to finish rows");
    }

    private long journalBytes() throws IOException {
        return Files.exists(journal()) ? Files.size(journal()) : 0;
    }

    /** Starts a run and waits until its journal has rows. */
    private ChildJvm startUntilRowsAreFinished(String... arguments) throws Exception {
        ChildJvm child = start(arguments);
        while (!child.hasEnded()
                && !(Files.exists(journal())
                        && FINISHED.matcher(Files.readString(journal())).find())) {
            Thread.sleep(2);
        }
        assertFalse(child.hasEnded(), () -> "the run was too fast to be interrupted");
        return child;
    }

    private void killedAfterSomeRows() throws Exception {
        ChildJvm child = startUntilRowsAreFinished(run());
        child.kill();
        child.await(60);
    }

    @Test
    void interruptedByTheUser() throws Exception {
        ChildJvm child = startUntilRowsAreFinished(run());
        child.interrupt();
        ChildJvm.Result result = child.await(60);
        assertEquals(130, result.exit(), result.toString());
        List<String> lines = new ArrayList<>(result.err().lines().toList());
        String last = lines.get(lines.size() - 1);
        assertTrue(
                last.matches(
                        "cellfuse: warning: interrupted; about \\d+ of 6000 rows are finished; to go on, repeat the"
                                + " command with --resume"),
                result.err());
        assertFalse(result.err().contains("error"), result.err());

        Cli.run((Object[]) run("-q")).assertError(2, journal(), "--resume", "--overwrite");
        Cli.Result resumed = Cli.run((Object[]) run("--resume")).assertDone();
        assertTrue(resumed.err().contains("continuing an unfinished run"), resumed.err());
        assertComplete();
    }

    /** Chunks of another size, and another device, don't matter: the bits are the same. */
    @Test
    void continuedInAnotherWay() throws Exception {
        killedAfterSomeRows();
        Cli.run("run", model, x, "-o", out, "--batch", 77, "--resume", "-q").assertDone();
        assertComplete();
    }

    @Test
    void startedOver() throws Exception {
        killedAfterSomeRows();
        Cli.run((Object[]) run("--overwrite", "-q")).assertDone();
        assertComplete();
    }

    /** A disk that lost what it had promised to keep, or somebody who wrote into the file. */
    @Test
    void damagedRowsAreComputedAgain() throws Exception {
        killedAfterSomeRows();
        byte[] damaged = Files.readAllBytes(partial());
        for (int k = 0; k < 50; k++) {
            damaged[random.nextInt(damaged.length)] ^= 1;
        }
        Files.write(partial(), damaged);
        Cli.run((Object[]) run("--resume", "-q")).assertDone();
        assertComplete();
    }

    @Test
    void anEmptyDiskMeansToStartFromTheBeginning() throws Exception {
        killedAfterSomeRows();
        Files.delete(partial());
        Cli.run((Object[]) run("--resume", "-q")).assertDone();
        assertComplete();
    }

    @ParameterizedTest
    @ValueSource(strings = {"model", "input", "layout", "lengths"})
    void anotherRunIsNotContinued(String what) throws Exception {
        killedAfterSomeRows();
        Object[] other = run("--resume", "-q");
        switch (what) {
            case "model" -> PyTorchLstm.save(model(9), model, true, "");
            case "input" -> Files.setLastModifiedTime(x, FileTime.fromMillis(0));
            case "layout" -> other = run("--resume", "-q", "--layout", "TNC");
            case "lengths" -> {
                Path lengths = folder.resolve("lengths.npy");
                NpyFiles.ints(lengths, new int[ROWS]);
                other = run("--resume", "-q", "--lengths", lengths);
            }
            default -> throw new AssertionError(what);
        }
        Cli.run(other).assertError(2, journal() + ": ", what, "expected", "found");
        assertTrue(Files.exists(partial()) && Files.exists(journal()));
    }

    @Test
    void twoProcessesDoNotWriteOneFile() throws Exception {
        ChildJvm child = startUntilRowsAreFinished(run());
        Cli.run((Object[]) run("--resume", "-q")).assertError(2, journal(), "another process");
        child.await(120);
        assertComplete();
    }

    /** The process ended after the renaming and before the journal was gone. */
    @Test
    void aFinishedOutputWithAJournalIsCheckedAndKept() throws Exception {
        killedAfterSomeRows();
        byte[] incomplete = Files.readAllBytes(journal());
        Path kept = Files.createLink(folder.resolve("kept"), journal()); // gets what is appended until the end
        Cli.run((Object[]) run("--resume", "-q")).assertDone();
        Files.move(kept, journal());
        Cli.run((Object[]) run("--resume", "-q")).assertDone();
        assertComplete();

        // Without every row in the journal, the output may be another one.
        Files.write(journal(), incomplete);
        Cli.run((Object[]) run("--resume", "-q")).assertError(2, out, "already exists");
        Cli.run((Object[]) run("--resume", "-q", "--overwrite")).assertDone();
        assertComplete();
    }

    @Test
    void withNothingToContinueARunBegins() throws IOException {
        Cli.run((Object[]) run("--resume", "-q")).assertDone();
        assertComplete();
        Cli.run((Object[]) run("--resume")).assertError(2, out, "already exists");
    }
}
