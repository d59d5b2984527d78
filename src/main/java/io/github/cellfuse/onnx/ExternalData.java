package io.github.cellfuse.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.FileState;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.StringStringEntryProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The location of a tensor's bytes outside the model: a file in the model's folder or below it. A model may come from
 * an untrusted source and must not make its reader open other files, so neither {@code ..} nor a link may lead out of
 * the folder. There is one exception: if the model is itself a link, the data may be a link to a file beside the
 * model's target. The cache of the Hugging Face Hub stores files in this way.
 */
record ExternalData(Path model, String tensor, String location, long offset, long length) {
    /** No length is given: the data extends to the end of the file. */
    private static final long TO_END = -1;

    static ExternalData of(Path model, String label, TensorProto tensor) {
        String location = "";
        long offset = 0, length = TO_END;
        for (StringStringEntryProto entry : tensor.getExternalDataList()) {
            switch (entry.getKey()) {
                case "location" -> location = entry.getValue();
                case "offset" -> offset = number(model, label, entry);
                case "length" -> length = number(model, label, entry);
                default -> {
                    // A checksum, or a hint from the writer.
                }
            }
        }
        return new ExternalData(model, label, location, offset, length);
    }

    private static long number(Path model, String label, StringStringEntryProto entry) {
        try {
            long number = Long.parseLong(entry.getValue());
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Reported below.
        }
        throw Problems.invalid(
                model,
                label + ", external data, " + entry.getKey() + ": expected a number of bytes, found "
                        + Problems.quote(entry.getValue()));
    }

    /** Reads the {@code expected} bytes; an array must be able to hold them. */
    ByteString read(long expected) {
        if (length != TO_END && length != expected) {
            throw invalid("length: expected " + expected + " bytes for the shape, found " + length);
        }
        Path file = file();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            FileState state = FileState.of(file);
            long size = channel.size();
            if (offset > size || expected > size - offset) {
                throw invalid("expected " + expected + " bytes from offset " + offset + " in "
                        + Problems.quote(location) + ", found a file of " + size + " bytes");
            }
            if (length == TO_END && size - offset != expected) {
                throw invalid("expected " + expected + " bytes for the shape, found " + (size - offset)
                        + " from offset " + offset + " to the end of " + Problems.quote(location));
            }
            return read(state, channel, offset, (int) expected);
        } catch (IOException e) {
            throw Problems.io(file, "reading", e);
        }
    }

    /**
     * Reads {@code count} bytes of a file whose size was checked before.
     *
     * @throws InvalidInputException when it has changed since {@code state} was taken
     */
    static ByteString read(FileState state, FileChannel channel, long offset, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, offset + bytes.position()) < 0) {
                state.checkUnchanged();
                throw new EOFException("the file became shorter while it was read");
            }
        }
        state.checkUnchanged();
        return UnsafeByteOperations.unsafeWrap(bytes.array());
    }

    /** Returns the file that the location names, with links resolved. */
    Path file() {
        if (location.isEmpty()) {
            throw invalid("expected a location, found none");
        }
        try {
            Path named = Path.of(location);
            boolean climbs = named.isAbsolute()
                    || location.startsWith("/")
                    || location.startsWith("\\")
                    || location.matches("[A-Za-z]:.*");
            for (String part : location.split("[/\\\\]")) {
                climbs |= part.equals("..");
            }
            Path folder = model.toAbsolutePath().getParent().toRealPath();
            Path file = folder.resolve(named);
            if (!climbs && !Files.exists(file)) {
                throw invalid("location: no such file in the model's folder: " + Problems.quote(location));
            }
            Path real = climbs ? file : file.toRealPath();
            if (climbs || !real.startsWith(folder) && !real.getParent().equals(targetFolder())) {
                throw invalid("location: expected a file in the model's folder, found " + Problems.quote(location)
                        + ", which is outside");
            }
            if (!Files.isRegularFile(real)) {
                throw invalid("location: expected a regular file, found " + Problems.quote(location));
            }
            return real;
        } catch (InvalidPathException e) {
            throw Problems.invalid(
                    model,
                    tensor + ", external data, location: expected a file's name, found " + Problems.quote(location),
                    e);
        } catch (IOException e) {
            throw Problems.io(model, "finding the file of " + tensor, e);
        }
    }

    /** Returns the folder of the model after following links. */
    private Path targetFolder() throws IOException {
        return model.toRealPath().getParent();
    }

    private InvalidInputException invalid(String what) {
        return Problems.invalid(model, tensor + ", external data: " + what);
    }
}
