package io.github.cellfuse.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.cl.ChildJvm;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpyWriter;
import io.github.cellfuse.implementations.Implementation;
import io.github.cellfuse.spi.EngineProvider;
import java.io.File;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The library in a program that has none of the command line's dependencies. */
class EmbeddedLibraryTest {
    @TempDir
    Path folder;

    private static final List<String> OF_THE_COMMAND_LINE =
            List.of("picocli", "progressbar", "chart.js", "slf4j-simple");

    /** Runs in a class path of its own; a public class with a public method, to be called from outside. */
    public static final class Inside {
        private Inside() {}

        /** Runs a model and writes y; returns the largest distance from PyTorch's outputs. */
        public static double run(Path target) {
            Path example = Path.of("examples/sunspots");
            LstmModel model = ModelFiles.read(example.resolve("model.safetensors"));
            try (NpyArray x = NpyArray.open(example.resolve("input.npy"));
                    NpyArray y = NpyArray.open(example.resolve("expected_y.npy"));
                    LstmEngine engine = LstmEngine.open(Device.JAVA, model);
                    LstmSession session = engine.newSession()) {
                int rows = (int) x.shape()[0], steps = (int) x.shape()[1];
                FloatBuffer found = session.run(LstmInput.batchMajor(x.readAll(), rows, steps))
                        .y();
                try (NpyWriter writer = NpyWriter.create(target, true, y.shape())) {
                    writer.write(0, found.duplicate());
                    writer.commit();
                }
                double largest = 0;
                for (float expected : y.readAll()) {
                    largest = Math.max(largest, Math.abs(expected - found.get()));
                }
                return largest;
            }
        }
    }

    @Test
    void runsWithoutTheDependenciesOfTheCommandLine() throws Exception {
        try (URLClassLoader loader = loader()) {
            for (String name : List.of(
                    "picocli.CommandLine", "me.tongfei.progressbar.ProgressBar", "org.slf4j.simple.SimpleLogger")) {
                assertThrows(ClassNotFoundException.class, () -> loader.loadClass(name));
            }
            assertEquals(0, run(loader), 1e-5);
        }
    }

    /** Opens an engine on each device that it is given, and runs; a process of its own. */
    static final class QuietMain {
        private QuietMain() {}

        public static void main(String[] devices) {
            LstmModel model = ModelFiles.read(Path.of("examples/sunspots/model.safetensors"));
            for (String device : devices) {
                try (LstmEngine engine = LstmEngine.open(Device.parse(device), model);
                        LstmSession session = engine.newSession()) {
                    session.run(LstmInput.batchMajor(new float[2 * 3 * 2], 2, 3));
                }
            }
        }
    }

    /** What goes well isn't worth a line of a program's log. Without a backend SLF4J itself says that there is none. */
    @Test
    void logsNothingIfAllGoesWell() throws Exception {
        String all = System.getProperty("java.class.path");
        String withoutBackend = Stream.of(all.split(File.pathSeparator))
                .filter(entry -> !entry.contains("slf4j-simple"))
                .collect(Collectors.joining(File.pathSeparator));
        assertEquals("", stderr(all));
        List<String> lines = stderr(withoutBackend).lines().toList();
        assertEquals(3, lines.size(), lines::toString);
        assertTrue(lines.stream().allMatch(line -> line.startsWith("SLF4J")), lines::toString);
    }

    private static String stderr(String classPath) throws Exception {
        ChildJvm.Result result = ChildJvm.startOn(
                        classPath, Implementation.POCL.environment(), List.of(), QuietMain.class, "java", "opencl:0.0")
                .await(120);
        assertEquals(0, result.exit(), result::err);
        return result.err();
    }

    /** A container that reloads a program would lose the memory of every version, and perhaps a thread. */
    @Test
    void leavesNothingBehindThatKeepsItsClassLoader() throws Exception {
        WeakReference<ClassLoader> dropped = runAndDrop();
        // Java 17 itself keeps the component type of the record whose equals was linked last.
        assertEquals(new Evicting(folder), new Evicting(folder));
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (dropped.get() != null && System.nanoTime() < deadline) {
            System.gc();
            Thread.sleep(20);
        }
        assertNull(dropped.get());
    }

    private record Evicting(Path component) {}

    private WeakReference<ClassLoader> runAndDrop() throws Exception {
        try (URLClassLoader loader = loader()) {
            run(loader);
            return new WeakReference<>(loader);
        }
    }

    private double run(ClassLoader loader) throws Exception {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader); // as in a container
        try {
            return (double) loader.loadClass(Inside.class.getName())
                    .getMethod("run", Path.class)
                    .invoke(null, folder.resolve("y.npy"));
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static URLClassLoader loader() throws Exception {
        List<URL> classPath = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (OF_THE_COMMAND_LINE.stream().noneMatch(entry::contains)) {
                classPath.add(Path.of(entry).toUri().toURL());
            }
        }
        return new URLClassLoader(classPath.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
    }

    /**
     * Any other resource could be one that a library of the host program looks for, such as a log's configuration. The
     * build adds nothing to these but classes and {@code kernels/*.cl}.
     */
    @Test
    void bringsNoResourceThatAnotherLibraryReads() throws Exception {
        Path resources = Path.of("src/main/resources");
        try (Stream<Path> files = Files.walk(resources)) {
            List<String> foreign = files.filter(Files::isRegularFile)
                    .map(file -> resources.relativize(file).toString().replace(File.separatorChar, '/'))
                    .filter(name -> !name.startsWith("io/github/cellfuse/"))
                    .filter(name -> !name.equals("META-INF/services/" + EngineProvider.class.getName()))
                    .toList();
            assertEquals(List.of(), foreign);
        }
    }
}
