package io.github.cellfuse.bench.peers;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The command of a contender that is a Java process. */
final class JavaCommand {
    private JavaCommand() {}

    /** Returns the command that runs a class in a Java like this one, to which the caller adds its arguments. */
    static List<String> of(String classPath, Class<?> main) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options());
        command.addAll(List.of("-cp", classPath, main.getName()));
        return command;
    }

    private static List<String> options() {
        List<String> options = new ArrayList<>(List.of(
                // No collector threads beside the contender's own; runs make next to no garbage.
                "-XX:+UseSerialGC",
                "-XX:MaxDirectMemorySize=16g",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                // JavaCPP would otherwise collect garbage, or refuse, by its own idea of how much memory a process may
                // take.
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                "-Dorg.bytedeco.javacpp.maxBytes=0",
                // PyTorch's native parts are on the class path: nothing is downloaded.
                "-Dai.djl.offline=true",
                "-DOPT_OUT_TRACKING=true"));
        // The java device's vectors, as this process has them.
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()) {
            options.addAll(List.of("--add-modules", "jdk.incubator.vector"));
        }
        // Where the libraries unpack their native parts.
        String cache = System.getProperty("cellfuse.bench.cache");
        if (cache != null) {
            options.add("-DDJL_CACHE_DIR=" + cache);
            options.add("-DENGINE_CACHE_DIR=" + cache);
            options.add("-Dorg.bytedeco.javacpp.cachedir=" + cache);
        }
        return options;
    }
}
