package io.github.cellfuse.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.github.cellfuse.InvalidInputException;
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
 * Where a tensor's bytes are when they aren't in the model: in a file of the model's folder or of a folder below it. A model is a
 * stranger's file and must not make its reader open others than its own, so neither {@code ..} nor a link may lead out.
 */
record ExternalData(Path model, String tensor, String location, long offset, long length) {
    /** No length was given: all to the file's end. */
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
                    // A checksum, or a hint of the writer's.
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
            // Refused below.
        }
        throw Problems.invalid(
                model,
                label + ", external data, " + entry.getKey() + ": expected a number of bytes, found "
                        + Problems.quote(entry.getValue()));
    }

    /** Returns the {@code expected} bytes, no more than an array holds. */
    ByteString read(long expected) {
        if (length != TO_END && length != expected) {
            throw invalid("length: expected the " + expected + " bytes of its shape, found " + length);
        }
        Path file = file();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            if (offset > size || expected > size - offset) {
                throw invalid("expected " + expected + " bytes from " + offset + " on in " + Problems.quote(location)
                        + ", found a file of " + size);
            }
            if (length == TO_END && size - offset != expected) {
                throw invalid("expected the " + expected + " bytes of its shape, found " + (size - offset) + " from "
                        + offset + " to the end of " + Problems.quote(location));
            }
            return read(channel, offset, (int) expected);
        } catch (IOException e) {
            throw Problems.io(file, "reading", e);
        }
    }

    /** Returns bytes of a file that was found to have as many. */
    static ByteString read(FileChannel channel, long offset, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, offset + bytes.position()) < 0) {
                throw new EOFException("the file was cut short");
            }
        }
        return UnsafeByteOperations.unsafeWrap(bytes.array());
    }

    /** Returns the file that the location names, without links. */
    private Path file() {
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
                throw invalid("no such file: " + Problems.quote(location) + " in the model's folder");
            }
            Path real = climbs ? file : file.toRealPath();
            if (climbs || !real.startsWith(folder)) {
                throw invalid("location: expected a file within the model's folder, found " + Problems.quote(location)
                        + ", which leads out of it");
            }
            if (!Files.isRegularFile(real)) {
                throw invalid("location: expected a file, found that " + Problems.quote(location) + " is none");
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

    private InvalidInputException invalid(String what) {
        return Problems.invalid(model, tensor + ", external data: " + what);
    }
}
