package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.ChildJvm;
import io.github.cellfuse.spi.EngineProvider;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program of {@code examples/module}, compiled and run on the module path. */
class NamedModuleTest {
    @TempDir
    Path folder;

    @Test
    void theExampleRunsOnJavaAndOpenCl() throws Exception {
        String program = compile("");
        ChildJvm.Result result = ChildJvm.startModule(Map.of(), program, "example/example.Modular", "java", "opencl")
                .await(300);
        assertEquals(0, result.exit(), result.err());
        List<String> lines = result.out().lines().toList();
        assertEquals(3, lines.size(), result.out());
        for (String line : lines.subList(0, 2)) {
            assertTrue(line.endsWith(" in module example, within 1e-5 of PyTorch: true"), line);
        }
        assertTrue(lines.get(0).startsWith("java ") && lines.get(1).startsWith("opencl:"), result.out());
        assertEquals("3 layers", lines.get(2));
    }

    /** Every line of the documentation is needed. */
    @Test
    void withoutOneOfTheRequiredModulesItFails() throws Exception {
        for (String module : List.of("com.google.gson", "org.slf4j", "org.apache.commons.lang3")) {
            ChildJvm.Result result = ChildJvm.startModule(
                            Map.of(), compile(module), "example/example.Modular", "opencl")
                    .await(300);
            assertEquals(1, result.exit(), module);
            assertTrue(result.err().contains("NoClassDefFoundError: " + module.replace('.', '/')), result.err());
        }
    }

    /** Compiles the example without a line of its module-info; returns its module path. */
    private String compile(String without) throws IOException {
        Path program = Files.createTempDirectory(folder, "program");
        Path info = program.resolve("source/module-info.java");
        Files.createDirectories(info.getParent());
        try (Stream<String> lines = Files.lines(Path.of("examples/module/module-info.java"))) {
            Files.write(
                    info,
                    lines.filter(line -> without.isEmpty() || !line.contains(without))
                            .toList());
        }
        String libraries = libraries();
        StringWriter messages = new StringWriter();
        PrintWriter out = new PrintWriter(messages);
        Path classes = program.resolve("classes");
        int exit = ToolProvider.findFirst("javac")
                .orElseThrow()
                .run(
                        out,
                        out,
                        "-d",
                        classes.toString(),
                        "--module-path",
                        libraries,
                        info.toString(),
                        "examples/module/example/Modular.java");
        assertEquals(0, exit, messages::toString);
        return classes + File.pathSeparator + libraries;
    }

    /** Returns the jars that a program gets that depends on CellFuse, with the jar that the build would make. */
    private String libraries() throws IOException {
        List<String> wanted =
                List.of("jocl-", "slf4j-api-", "gson-", "protobuf-java-", "jhdf-", "lz4-java-", "commons-lang3-");
        return Stream.concat(
                        Stream.of(jar().toString()),
                        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                                .filter(entry -> wanted.stream()
                                        .anyMatch(Path.of(entry).getFileName().toString()::startsWith)))
                .collect(Collectors.joining(File.pathSeparator));
    }

    private Path jar() throws IOException {
        Path jar = folder.resolve("cellfuse-test.jar");
        if (Files.exists(jar)) {
            return jar;
        }
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Automatic-Module-Name", "io.github.cellfuse");
        Path classes = Path.of("target/classes");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest);
                Stream<Path> files = Files.walk(classes)) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                String name = classes.relativize(file).toString().replace(File.separatorChar, '/');
                if (name.matches("(io/github/cellfuse|kernels)/.*")
                        || name.equals("META-INF/services/" + EngineProvider.class.getName())) {
                    out.putNextEntry(new ZipEntry(name));
                    Files.copy(file, out);
                }
            }
        }
        return jar;
    }
}
