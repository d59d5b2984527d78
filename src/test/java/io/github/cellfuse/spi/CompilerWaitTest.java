package io.github.cellfuse.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
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

    private String compile() {
        CompilerWait.begins("gpu", later::add);
        return "compiled";
    }

    private String wait(Supplier<String> work) {
        return CompilerWait.telling(said::add, work);
    }

    @Test
    void aLongWaitIsAnnouncedOnce() {
        String result = wait(() -> {
            compile();
            momentPasses();
            compile();
            momentPasses();
            return "opened";
        });
        assertEquals("opened", result);
        assertEquals(ONCE, said);
    }

    /** Several short programs are a long wait, too, and so are kernels that are compiled when they are launched. */
    @Test
    void theClockRunsFromTheFirstProgramToTheEndOfTheWork() {
        wait(() -> {
            compile();
            compile();
            assertEquals(1, later.size(), "timers");
            momentPasses();
            return "launched";
        });
        assertEquals(ONCE, said);
    }

    @Test
    void aShortWaitIsNotAnnounced() {
        assertEquals("compiled", wait(this::compile));
        momentPasses();
        assertEquals(List.of(), said);
    }

    @Test
    void workThatCompilesNothingIsNotAnnouncedAndNoTimerRunsForNobody() {
        wait(() -> "opened");
        compile();
        assertEquals(List.of(), later);
        assertEquals(List.of(), said);
    }

    @Test
    void aFailureIsPassedOnAndEndsTheWait() {
        IllegalStateException failure = new IllegalStateException("doesn't compile");
        assertEquals(
                failure,
                assertThrows(
                        IllegalStateException.class,
                        () -> wait(() -> {
                            compile();
                            throw failure;
                        })));
        momentPasses();
        assertEquals(List.of(), said);
    }

    @Test
    void everyoneWhoWaitsHearsOfIt() {
        wait(() -> wait(() -> {
            compile();
            momentPasses();
            return "opened";
        }));
        assertEquals(List.of(ONCE.get(0), ONCE.get(0)), said);
    }
}
