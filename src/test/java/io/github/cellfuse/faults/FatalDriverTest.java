package io.github.cellfuse.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.ChildJvm;
import io.github.cellfuse.cli.CellFuse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A driver that ends every process that lists the platforms is named, and java computes. */
class FatalDriverTest {
    private static final int SECONDS = 120;

    @TempDir
    Path folder;

    private Path driver;

    @BeforeEach
    void install() throws Exception {
        Path vendors = Files.createDirectory(folder.resolve("vendors"));
        Path library = folder.resolve("fatal.so");
        FaultLayer.compile("fatal_driver.c", library);
        driver = Files.writeString(vendors.resolve("fatal.icd"), library + "\n");
        Files.copy(Path.of("src", "test", "opencl", "pocl", "pocl.icd"), vendors.resolve("pocl.icd"));
    }

    private ChildJvm.Result run(String signal, String... words) throws Exception {
        Map<String, String> environment = new HashMap<>();
        environment.put("OCL_ICD_VENDORS", driver.getParent().toString());
        environment.put("CELLFUSE_CACHE", folder.resolve("cache").toString());
        environment.put("FATAL_SIGNAL", signal);
        List<String> options =
                List.of("-Dcellfuse.rehearsal=on", "-XX:-CreateCoredumpOnCrash", "-XX:ErrorFile=/dev/null");
        return ChildJvm.start(environment, options, CellFuse.class, words).await(SECONDS);
    }

    private String blame(String signal) {
        return "OpenCL isn't used: the driver of " + driver + " (" + folder.resolve("fatal.so")
                + ") ends the process with " + signal + " while platforms are listed; remove this file, or set"
                + " OCL_ICD_VENDORS to a folder with the other .icd files (pocl.icd); --device java needs no driver";
    }

    @ParameterizedTest
    @CsvSource({"6, SIGABRT", "11, SIGSEGV", "15, signal 15"})
    void theDriverIsNamedAndJavaComputes(String number, String signal) throws Exception {
        ChildJvm.Result list = run(number, "devices");
        assertEquals(0, list.exit(), list::err);
        assertTrue(list.out().contains("auto chooses java: " + blame(signal)), list::out);
    }

    @Test
    void aNamedDeviceIsRefusedWithTheReason() throws Exception {
        Path example = Path.of("examples", "sunspots");
        String[] words = {
            "run",
            example.resolve("model.safetensors").toString(),
            example.resolve("input.npy").toString(),
            "-o",
            folder.resolve("y.npy").toString(),
            "--device"
        };
        ChildJvm.Result named =
                run("6", Stream.concat(Stream.of(words), Stream.of("opencl")).toArray(String[]::new));
        assertEquals(2, named.exit(), named::err);
        assertTrue(named.err().contains(blame("SIGABRT")), named::err);
        ChildJvm.Result auto =
                run("6", Stream.concat(Stream.of(words), Stream.of("auto")).toArray(String[]::new));
        assertEquals(0, auto.exit(), auto::err);
        assertTrue(auto.err().contains(blame("SIGABRT")), auto::err);
    }

    /** Nothing tells beforehand that a driver has begun to do so: the process ends, and the next one knows. */
    @Test
    void aDriverThatWasFineBeforeIsFoundAfterItsFirstVictim() throws Exception {
        ChildJvm.Result fine = run(null, "devices");
        assertTrue(fine.out().contains("opencl:0.0  (auto)"), fine::out);
        assertEquals(1, notes());
        ChildJvm.Result victim = run("6", "devices");
        assertFalse(victim.exit() == 0, victim::out);
        ChildJvm.Result next = run("6", "devices");
        assertTrue(next.out().contains(blame("SIGABRT")), next::out);
        assertEquals(0, notes());
        ChildJvm.Result again = run(null, "devices");
        assertTrue(again.out().contains("opencl:0.0  (auto)"), again::out);
        assertEquals(1, notes());
    }

    private long notes() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("cache").resolve("platforms"))) {
            List<String> names =
                    files.map(file -> file.getFileName().toString()).toList();
            assertTrue(names.stream().noneMatch(name -> name.endsWith(".listing")), names::toString);
            return names.size();
        }
    }
}
