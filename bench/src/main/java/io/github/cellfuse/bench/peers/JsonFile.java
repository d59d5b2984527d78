package io.github.cellfuse.bench.peers;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Results as a file for programs. */
public final class JsonFile {
    private static final Gson GSON = new GsonBuilder()
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .serializeNulls()
            .create();

    private JsonFile() {}

    /** Returns maps, lists, texts and numbers as JSON. */
    public static String text(Object value) {
        return GSON.toJson(value);
    }

    /**
     * Checks a file's folder before anything is measured.
     *
     * @param file null if no file is wanted
     * @throws InvalidInputException if it can't be written
     */
    public static void checkPlace(Path file) {
        if (file != null && !Files.isWritable(file.toAbsolutePath().getParent())) {
            throw new InvalidInputException("--json: expected a file in a folder that can be written, found " + file);
        }
    }

    /** Writes a file, whole or not at all. */
    public static void write(Path file, String json) {
        Path target = file.toAbsolutePath();
        Path temporary = target.resolveSibling("." + target.getFileName() + ".tmp");
        try {
            Files.writeString(temporary, json + "\n");
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new CellFuseException(file + ": can't be written: " + e.getMessage(), e);
        }
    }
}
