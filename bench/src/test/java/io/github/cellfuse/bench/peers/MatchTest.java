package io.github.cellfuse.bench.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.bench.Shape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real processes. CellFuse runs in plain Java here, so that no OpenCL device is needed. */
class MatchTest {
    private static final Settings SETTINGS = settings(Task.LAYER, "java");
    private static final Effort EFFORT = new Effort(2, 0.001, 0.001);

    @TempDir
    private Path folder;

    private static Settings settings(Task task, String device) {
        return new Settings(task, 1, Waiting.SLEEP, device, 0, Path.of("unused"), Optional.empty());
    }

    @Test
    void everyPeerThatRunsHereAgreesWithCellFuse() {
        List<Team> teams = new ArrayList<>();
        try {
            for (Contender contender : Contender.values()) {
                startIfItCan(contender, Task.LAYER, teams);
            }
            Assumptions.assumeTrue(teams.size() > 1, "no peer has a native library for this platform");
            // Sizes that are all different and no multiple of a vector, then others on the same processes. The units
            // spare PyTorch 2.7's oneDNN 3.7.1: on AVX-512 it reorders weights of 1 to 16 units beyond a multiple of
            // 32 wrongly (uxlfoundation/oneDNN#3280 is about its reorders).
            for (Shape shape : List.of(new Shape(5, 3, 7, 19), new Shape(3, 20, 33, 49))) {
                ShapeResult result = new Match(Task.LAYER, teams, EFFORT, folder).play(shape);
                assertEquals(teams.size(), result.seconds().size());
                assertEquals(teams.size() - 1, result.differences().size());
                for (Map.Entry<Contender, Double> difference :
                        result.differences().entrySet()) {
                    assertTrue(difference.getValue() < 1e-5, difference.toString());
                }
                for (double[] seconds : result.seconds().values()) {
                    assertEquals(EFFORT.rounds(), seconds.length);
                    assertTrue(Statistics.median(seconds) > 0);
                }
                assertTrue(result.ratio().isPresent());
                assertEquals(result.differences().keySet(), result.waiting().keySet());
                assertTrue(result.plan().startsWith("java"), result.plan());
            }
        } finally {
            teams.forEach(Team::close);
        }
    }

    @Test
    void aPeerThatDiffersIsNotTimedIfAnotherAgrees() {
        List<String> wrong = Match.judge(Task.LAYER, Map.of(Contender.ONEDNN, 1e-6, Contender.PYTORCH, 0.13));
        assertEquals(1, wrong.size());
        assertTrue(wrong.get(0).startsWith("PyTorch and CellFuse differ by 0.13 in y, more than 1.0E-4"), wrong.get(0));
        assertTrue(Match.judge(Task.LAYER, Map.of(Contender.ORT, 1e-6)).isEmpty());
        assertTrue(Match.judge(Task.LAYER, Map.of()).isEmpty());
    }

    @Test
    void ifAllPeersDifferNothingIsTimed() {
        for (Map<Contender, Double> differences :
                List.of(Map.of(Contender.ORT, 0.5), Map.of(Contender.ORT, Double.NaN, Contender.PYTORCH, 0.13))) {
            CellFuseException e = assertThrows(CellFuseException.class, () -> Match.judge(Task.LAYER, differences));
            assertTrue(e.getMessage().endsWith("nothing was timed"), e.getMessage());
            differences.keySet().forEach(peer -> assertTrue(e.getMessage().contains(peer.title()), e.getMessage()));
        }
    }

    @Test
    void bothTaggersGiveTheSameScores() {
        List<Team> teams = new ArrayList<>();
        try {
            startIfItCan(Contender.OURS, Task.TAGGER, teams);
            startIfItCan(Contender.ORT, Task.TAGGER, teams);
            Assumptions.assumeTrue(teams.size() > 1, "ONNX Runtime has no native library for this platform");
            Shape shape = new Shape(3, 5, Tagger.FEATURES, Tagger.UNITS);
            ShapeResult result = new Match(Task.TAGGER, teams, EFFORT, folder).play(shape);
            assertTrue(
                    result.differences().get(Contender.ORT) < 1e-5,
                    result.differences().toString());
            assertTrue(result.plan().contains("java"), result.plan());
            assertTrue(result.ofPeak().isEmpty());
        } finally {
            teams.forEach(Team::close);
        }
    }

    /** The whole path of a voice model: three sizes on the same processes, the second in more than one group. */
    @Test
    void bothVoiceModelsGiveTheSameResults() {
        List<Team> teams = new ArrayList<>();
        try {
            startIfItCan(Contender.OURS, Task.VOICE, teams);
            startIfItCan(Contender.ORT, Task.VOICE, teams);
            Assumptions.assumeTrue(teams.size() > 1, "ONNX Runtime has no native library for this platform");
            for (String size : List.of("3,5", "100,11", "1,1")) {
                ShapeResult result = new Match(Task.VOICE, teams, EFFORT, folder).play(Voice.shape(size));
                assertTrue(
                        result.differences().get(Contender.ORT) < 1e-6,
                        result.differences().toString());
                assertTrue(result.plan().contains("java"), result.plan());
                assertTrue(
                        result.plan().startsWith(size.equals("100,11") ? "in 2 groups" : "in 1 group"), result.plan());
                assertTrue(result.ofPeak().isEmpty());
                assertTrue(result.ratio().isPresent());
            }
        } finally {
            teams.forEach(Team::close);
        }
    }

    private void startIfItCan(Contender contender, Task task, List<Team> teams) {
        try {
            teams.add(Team.start(
                    contender,
                    settings(task, "java").withThreads(task == Task.VOICE ? 2 : 1),
                    List.of(Waiting.values()),
                    folder));
        } catch (CellFuseException e) {
            System.out.println(contender.title() + " is not tested here: " + e.getMessage());
        }
    }

    @Test
    void aContenderThatCannotStartSaysWhyInOneLine() {
        Settings wrong = settings(Task.LAYER, "abacus");
        CellFuseException e = assertThrows(
                CellFuseException.class,
                () -> WorkerProcess.start(Contender.OURS, wrong, folder).close());
        assertTrue(e.getMessage().startsWith("CellFuse: "), e.getMessage());
        assertTrue(e.getMessage().contains("abacus"), e.getMessage());
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
    }

    @Test
    void anErrorOfACommandReachesTheParentAndTheProcessGoesOn() {
        try (WorkerProcess worker = WorkerProcess.start(Contender.OURS, SETTINGS, folder)) {
            CellFuseException e = assertThrows(CellFuseException.class, () -> worker.ask("prepare 1,2,3"));
            assertTrue(e.getMessage().contains("T,N,I,H"), e.getMessage());
            assertThrows(CellFuseException.class, () -> worker.ask("dance"));
            worker.ask("prepare 2,2,2,2");
            assertTrue(worker.askNumber("turn 2") > 0);
            assertTrue(worker.askNumber("rest") >= 0);
        }
    }

    @Test
    void aResultOfAnotherProblemIsSeen() {
        try (WorkerProcess worker = WorkerProcess.start(Contender.OURS, SETTINGS, folder)) {
            Path file = folder.resolve("y");
            worker.ask("prepare 2,2,2,2");
            worker.ask("save " + file);
            assertEquals(0, worker.askNumber("check " + file));
            worker.ask("prepare 2,2,3,2");
            assertTrue(worker.askNumber("check " + file) > 1e-4);
        }
    }
}
