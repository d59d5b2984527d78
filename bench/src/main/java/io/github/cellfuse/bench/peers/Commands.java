package io.github.cellfuse.bench.peers;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import picocli.CommandLine;

/** What the commands of {@code bench/compare} share. */
public final class Commands {
    /** Something that needs a folder for a while. */
    public interface InFolder {
        int run(Path folder) throws IOException;
    }

    private Commands() {}

    /**
     * Runs a picocli command. Returns its exit status: 2 after a message about wrong input, 1 after one about anything
     * else that fails.
     */
    public static int execute(Object command, String... args) {
        CommandLine line = new CommandLine(command);
        line.setExecutionExceptionHandler((e, failed, parsed) -> {
            if (!(e instanceof CellFuseException)) {
                throw e;
            }
            System.err.println("cellfuse: error: " + e.getMessage());
            return e instanceof InvalidInputException ? 2 : 1;
        });
        return line.execute(args);
    }

    /** Runs something with a new folder, which is deleted afterwards. Returns its exit status. */
    public static int inTemporaryFolder(InFolder action) throws IOException {
        Path folder = Files.createTempDirectory("cellfuse-compare");
        try {
            return action.run(folder);
        } finally {
            delete(folder);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
