package io.github.cellfuse.cli.run;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.Tier;
import io.github.cellfuse.batch.LengthOrder;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.format.file.Problems;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What has to be the same when a run is continued, because every bit of the result follows from it: the model, the
 * inputs and their shape, and the tier of the devices. Which devices compute, how they do it and the size of the chunks
 * may change.
 */
final class RunIdentity {
    private final Map<String, String> facts = new LinkedHashMap<>();

    /** @param model as the devices have it: with rounded weights if they store them so */
    RunIdentity(LstmModel model, RunShape shape, List<String> outputs, Tier tier) {
        facts.put("model", fingerprint(model));
        facts.put("layout", shape.layout().name().toLowerCase(Locale.ROOT));
        facts.put("rows", Long.toString(shape.rows()));
        facts.put("steps", Integer.toString(shape.steps()));
        facts.put("outputs", String.join(", ", outputs));
        facts.put("tier", tier.name().toLowerCase(Locale.ROOT));
    }

    /** Adds in which order a journal counts the rows, if it isn't their own. Returns this. */
    RunIdentity with(Optional<LengthOrder> order) {
        order.ifPresent(by -> facts.put("order", by.toString()));
        return this;
    }

    /** Adds a file that the run reads; null if it has no such file. Returns this. */
    RunIdentity with(String name, InputFile file) {
        if (file != null) {
            facts.put(name, state(file));
        }
        return this;
    }

    /** Returns the facts, in the order in which they should be compared. */
    Map<String, String> facts() {
        return facts;
    }

    /** Size and time, as reading all of a file could take as long as the run. */
    private static String state(InputFile file) {
        Path path = file.path();
        try (Stream<Path> inFolder = Files.isDirectory(path) ? Files.list(path) : Stream.empty()) {
            String entry = file.toString().substring(path.toString().length());
            List<Path> files = inFolder.filter(RunIdentity::isInput).sorted().toList();
            if (files.isEmpty()) {
                return path.getFileName() + entry + ", " + state(path);
            }
            MessageDigest digest = sha256();
            for (Path each : files) {
                digest.update((each.getFileName() + " " + state(each) + "\n").getBytes(StandardCharsets.UTF_8));
            }
            return path.getFileName() + ", " + files.size() + " files, sha256 of their names, sizes and times "
                    + HexFormat.of().formatHex(digest.digest());
        } catch (IOException e) {
            throw Problems.io(path, "reading its size and time", e);
        }
    }

    private static boolean isInput(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(".npy") && !name.startsWith(".");
    }

    private static String state(Path path) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
        return attributes.size() + " bytes of " + attributes.lastModifiedTime();
    }

    private static String fingerprint(LstmModel model) {
        MessageDigest digest = sha256();
        for (LstmLayer layer : model.layers()) {
            add(digest, "layer " + layer.direction());
            for (LstmWeights weights : layer.weights()) {
                add(
                        digest,
                        weights.inputSize() + " " + weights.hiddenSize() + " " + weights.outputSize() + " "
                                + weights.equations());
                add(digest, Optional.of(weights.input()));
                add(digest, Optional.of(weights.recurrent()));
                add(digest, weights.inputBias());
                add(digest, weights.recurrentBias());
                add(digest, weights.projection());
                add(digest, weights.peepholes());
            }
        }
        return "sha256 " + HexFormat.of().formatHex(digest.digest());
    }

    private static void add(MessageDigest digest, String text) {
        digest.update((text + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private static void add(MessageDigest digest, Optional<float[]> values) {
        add(digest, values.map(array -> array.length + " values").orElse("none"));
        ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
        for (float value : values.orElse(new float[0])) {
            if (!bytes.hasRemaining()) {
                digest.update(bytes.flip());
                bytes.clear();
            }
            bytes.putInt(Float.floatToRawIntBits(value));
        }
        digest.update(bytes.flip());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new CellFuseException("this Java runtime has no SHA-256, which every one must have", e);
        }
    }
}
