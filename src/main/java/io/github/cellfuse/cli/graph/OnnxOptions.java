package io.github.cellfuse.cli.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.InputFile;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** The options of {@code run} that only a whole graph has; a mixin. */
public final class OnnxOptions {
    @Option(
            names = "--input",
            paramLabel = "NAME=F",
            description =
                    "An input of an .onnx model: a .npy file, an .npz file with one array, or F.npz:NAME. For each one.")
    private List<String> inputs = List.of();

    @Option(
            names = "--frames",
            paramLabel = "[NAME=]AXIS[:SIZE]",
            description = {
                "Call an .onnx model again and again: AXIS of the file (of input NAME, where there are several) is the succession of calls."
                        + " Where the file has one axis more than the input, each call takes one index of it; otherwise SIZE elements,"
                        + " by default the input's fixed size there, or 1. Outputs are put together along the same axis."
            })
    private List<String> frames = List.of();

    @Option(
            names = "--state",
            paramLabel = "IN=OUT",
            description =
                    "Feed output OUT back as input IN of the next call; zeros at first, or what --input IN=F says.")
    private List<String> states = List.of();

    @Option(
            names = "--output-name",
            paramLabel = "NAME",
            description = "Write this output of an .onnx model; may be repeated for an .npz file. Default: all.")
    private List<String> outputNames = List.of();

    /** The files by input. */
    public Map<String, InputFile> inputs() {
        Map<String, InputFile> files = new LinkedHashMap<>();
        pairs("--input", "NAME=F", inputs).forEach((name, file) -> files.put(name, InputFile.parse(file)));
        return files;
    }

    /** The frames by input; under an empty name where none was given. */
    Map<String, Frames> frames() {
        Map<String, Frames> all = new LinkedHashMap<>();
        for (String argument : frames) {
            int equals = argument.lastIndexOf('=');
            String name = equals < 0 ? "" : argument.substring(0, equals);
            if (all.put(name, Frames.parse(argument.substring(equals + 1), argument)) != null) {
                throw new InvalidInputException(
                        "--frames " + argument + ": expected one axis of an input, found another before");
            }
        }
        return all;
    }

    /** The outputs that inputs are in the next call. */
    Map<String, String> states() {
        return pairs("--state", "IN=OUT", states);
    }

    List<String> outputNames() {
        return outputNames;
    }

    /** Arguments of the form {@code LEFT=RIGHT}; names of values may hold anything but that sign. */
    static Map<String, String> pairs(String option, String form, List<String> arguments) {
        Map<String, String> pairs = new LinkedHashMap<>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            if (equals < 1 || equals == argument.length() - 1) {
                throw new InvalidInputException(option + ": expected " + form + ", found '" + argument + "'");
            }
            if (pairs.put(argument.substring(0, equals), argument.substring(equals + 1)) != null) {
                throw new InvalidInputException(
                        option + ": expected '" + argument.substring(0, equals) + "' once, found it twice");
            }
        }
        return pairs;
    }
}
