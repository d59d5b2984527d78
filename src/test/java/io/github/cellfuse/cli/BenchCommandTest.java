package io.github.cellfuse.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class BenchCommandTest {
    @Test
    void printsOneTableForAllShapes() {
        String out = Cli.run("bench", "--device", "java", "--rounds", 1, "--shape", "2,3,4,5", "--shape", "1,1,1,1")
                .assertDone()
                .out();
        assertEquals(3, out.lines().count(), out);
        assertTrue(out.startsWith("T,N,I,H "), out);
        assertTrue(out.lines().skip(1).allMatch(line -> line.matches("(2,3,4,5|1,1,1,1) +java .*")), out);
    }

    @Test
    void refusesWhatIsWrong() {
        Cli.run("bench", "--rounds", 0).assertError(2, "--rounds", "at least 1", "found 0");
        Cli.run("bench", "--shape", "2,3,4").assertError(2, "shape", "T,N,I,H", "'2,3,4'");
        Cli.run("bench", "--shape", "2,3,4,0").assertError(2, "shape");
        Cli.run("bench", "--device", "reference").assertError(2, "--device", "found reference");
        Cli.run("bench", "--device", "opencl:97.3").assertError(2, "opencl:97.3", "expected");
    }
}
