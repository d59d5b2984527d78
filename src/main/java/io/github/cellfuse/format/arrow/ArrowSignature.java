package io.github.cellfuse.format.arrow;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** The first bytes of Arrow's files. Needs none of Arrow's classes, which a program may lack. */
public final class ArrowSignature {
    /** An Arrow file begins and ends with it. */
    static final String MAGIC = "ARROW1";

    private ArrowSignature() {}

    /** Returns whether a file is what {@link ArrowSequences#open} reads, or has a refusal for, by its first bytes. */
    public static boolean recognizes(Path path) {
        if (!Files.isRegularFile(path)) {
            return false;
        }
        try (InputStream stream = Files.newInputStream(path)) {
            String start = new String(stream.readNBytes(MAGIC.length()), StandardCharsets.ISO_8859_1);
            return start.equals(MAGIC)
                    || start.startsWith("PAR1")
                    || start.startsWith("FEA1")
                    || start.startsWith("\u00FF\u00FF\u00FF\u00FF");
        } catch (IOException e) {
            return false; // whoever opens it says why
        }
    }
}
