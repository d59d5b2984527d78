package io.github.cellfuse.cli.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.InputFile;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that name the inputs and outputs of a whole graph; a mixin. */
public final class GraphInputOptions {
    @Option(
            names = "--input",
            paramLabel = "NAME=F",
            description =
                    "File for an input of an .onnx model: a .npy file, an .npz file with one array, or F.npz:NAME."
                            + " Repeatable.")
    private List<String> inputs = List.of();

    @Option(
            names = "--frames",
            paramLabel = "[NAME=]AXIS[:SIZE[:HOP]]",
            description =
                    "Call an .onnx model repeatedly, once for each frame along AXIS of the file (of input NAME, if"
                            + " there are several). If the file has one axis more than the input, each call takes"
                            + " one index of AXIS. Otherwise each call takes SIZE elements; the default is the"
                            + " input's fixed size on this axis, or 1. Outputs are joined along the same axis.")
    private List<String> frames = List.of();

    @Option(
            names = "--state",
            paramLabel = "IN=OUT",
            description =
                    "Pass output OUT to input IN of the next call. The first call gets the file of --input IN=F, or the"
                            + " input's default value, or zeros.")
    private List<String> states = List.of();

    @Mixin
    private OutputNameOption outputNames;

    /** Returns the files by input. */
    public Map<String, InputFile> inputs() {
        Map<String, InputFile> files = new LinkedHashMap<>();
        pairs("--input", "NAME=F", inputs).forEach((name, file) -> files.put(name, InputFile.parse(file)));
        return files;
    }

    /** Returns the frames by input. Frames without a name have an empty one. */
    Map<String, Frames> frames() {
        Map<String, Frames> all = new LinkedHashMap<>();
        for (String argument : frames) {
            int equals = argument.lastIndexOf('=');
            String name = equals < 0 ? "" : argument.substring(0, equals);
            if (all.put(name, Frames.parse(argument.substring(equals + 1), argument)) != null) {
                throw new InvalidInputException("--frames given twice" + (name.isEmpty() ? "" : " for input " + name));
            }
        }
        return all;
    }

    /** Returns, for each input that is a state, the output that it gets in the next call. */
    Map<String, String> states() {
        return pairs("--state", "IN=OUT", states);
    }

    List<String> outputNames() {
        return outputNames.names();
    }

    /** Returns the outputs that a run needs: those to write and the states; empty if that is all outputs. */
    Set<String> neededOutputs() {
        if (outputNames().isEmpty()) {
            return Set.of();
        }
        Set<String> needed = new LinkedHashSet<>(outputNames());
        needed.addAll(states().values());
        return needed;
    }

    /** Parses arguments of the form {@code LEFT=RIGHT}. */
    static Map<String, String> pairs(String option, String form, List<String> arguments) {
        Map<String, String> pairs = new LinkedHashMap<>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            if (equals < 1 || equals == argument.length() - 1) {
                throw new InvalidInputException(option + ": expected " + form + ", found '" + argument + "'");
            }
            if (pairs.put(argument.substring(0, equals), argument.substring(equals + 1)) != null) {
                throw new InvalidInputException(option + " given twice for " + argument.substring(0, equals));
            }
        }
        return pairs;
    }
}
