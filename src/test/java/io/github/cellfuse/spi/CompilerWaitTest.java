package io.github.cellfuse.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class CompilerWaitTest {
    private static final List<String> ONCE = List.of("gpu: compiling kernels, which takes seconds the first time ...");

    private final List<String> said = new ArrayList<>();
    private final List<Runnable> later = new ArrayList<>();

    private void momentPasses() {
        later.forEach(Runnable::run);
        later.clear();
    }

    private String compile(Supplier<String> compiling) {
        return CompilerWait.during("gpu", compiling, later::add);
    }

    private String slow() {
        return compile(() -> {
            momentPasses();
            return "slow";
        });
    }

    @Test
    void aSlowProgramIsAnnouncedOnce() {
        String result = CompilerWait.telling(said::add, () -> slow() + slow());
        assertEquals("slowslow", result);
        assertEquals(ONCE, said);
    }

    @Test
    void aFastProgramIsNotAnnounced() {
        CompilerWait.telling(said::add, () -> {
            String fast = compile(() -> "fast");
            momentPasses();
            return fast;
        });
        assertEquals(List.of(), said);
    }

    @Test
    void theProgramAfterAFastOneIsAnnounced() {
        CompilerWait.telling(said::add, () -> compile(() -> "fast") + slow());
        assertEquals(ONCE, said);
    }

    @Test
    void nothingIsAnnouncedAndNoTimerRunsForNobody() {
        CompilerWait.telling(said::add, () -> "opened");
        Executor none = task -> {
            throw new AssertionError("a timer for nobody");
        };
        assertEquals("built", CompilerWait.during("gpu", () -> "built", none));
        assertEquals(List.of(), said);
    }

    @Test
    void aFailureIsPassedOnAndEndsTheWait() {
        IllegalStateException failure = new IllegalStateException("doesn't compile");
        assertEquals(
                failure,
                assertThrows(
                        IllegalStateException.class,
                        () -> CompilerWait.telling(
                                said::add,
                                () -> compile(() -> {
                                    throw failure;
                                }))));
        momentPasses();
        slow();
        assertEquals(List.of(), said);
    }

    @Test
    void everyoneWhoWaitsHearsOfIt() {
        CompilerWait.telling(said::add, () -> CompilerWait.telling(said::add, this::slow));
        assertEquals(List.of(ONCE.get(0), ONCE.get(0)), said);
    }
}
