package io.github.cellfuse.format.keras;

import io.github.cellfuse.format.file.FileRegion;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.format.file.ZipArchive;
import io.jhdf.api.Group;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The two kinds of files: an archive with the configuration and the weights as entries, and one HDF5 file with both.
 */
final class KerasFile {
    private static final String CONFIG = "config.json", METADATA = "metadata.json", WEIGHTS = "model.weights.h5";
    private static final String MODEL_CONFIG = "model_config", VERSION = "keras_version";

    /** Longer texts don't come from Keras; vocabularies are files of their own. */
    private static final int LONGEST_CONFIG = 64 << 20;

    private static final Pattern GENERATION = Pattern.compile("([0-9]{1,3})\\..*", Pattern.DOTALL);

    private KerasFile() {}

    static KerasModel read(Path path, Optional<List<String>> layers) {
        try (FileRegion region = FileRegion.open(path)) {
            byte[] start = region.bytes(0, (int) Math.min(Hdf5File.SIGNATURE.length, region.size()));
            if (Arrays.equals(start, Hdf5File.SIGNATURE)) {
                return readHdf5(region, layers);
            }
        }
        return readArchive(path, layers);
    }

    private static KerasModel readArchive(Path path, Optional<List<String>> layers) {
        try (ZipArchive archive = ZipArchive.open(path, ".keras or .h5");
                FileRegion config = entry(archive, path, CONFIG, LONGEST_CONFIG);
                FileRegion metadata = entry(archive, path, METADATA, LONGEST_CONFIG);
                FileRegion weights = entry(archive, path, WEIGHTS, Long.MAX_VALUE)) {
            Config model =
                    Config.parse(config.label(), "model", config.text("the model's configuration", LONGEST_CONFIG));
            String version = Config.parse(metadata.label(), "metadata", metadata.text("JSON", LONGEST_CONFIG))
                    .string(VERSION);
            KerasNetwork network = KerasNetwork.of(new Config(path.toString(), "model", model.json()));
            try (Hdf5File file = Hdf5File.open(weights)) {
                return new StackReader(network, version, generation(path.toString(), version))
                        .read(new NumberedWeights(file, network), layers);
            }
        }
    }

    private static FileRegion entry(ZipArchive archive, Path path, String name, long mostBytes) {
        return archive.checked(name, "an entry", mostBytes).orElseThrow(() -> {
            boolean isSplit = archive.names().contains("model.weights.json");
            return Problems.invalid(
                    path,
                    isSplit
                            ? "expected the weights in one file, found them split; save the model again without"
                                    + " max_shard_size"
                            : "expected " + CONFIG + ", " + METADATA + " and " + WEIGHTS
                                    + " as in a .keras file, found " + Problems.some(archive.names()));
        });
    }

    private static KerasModel readHdf5(FileRegion region, Optional<List<String>> layers) {
        try (Hdf5File file = Hdf5File.open(region)) {
            Group root = file.root();
            Optional<String> config = file.text(root, MODEL_CONFIG);
            if (config.isEmpty()) {
                boolean isWeights = file.texts(root, "layer_names").isPresent()
                        || file.group(root, "layers").isPresent()
                        || file.group(root, "_layer_checkpoint_dependencies").isPresent();
                throw Problems.invalid(
                        file.label(),
                        (isWeights
                                        ? "expected a whole model, found weights without the model's configuration"
                                        : "expected a model that Keras saved, found an HDF5 file without the attribute "
                                                + MODEL_CONFIG)
                                + "; save it by model.save(\"model.keras\"), not by save_weights");
            }
            Group weights = file.group(root, "model_weights")
                    .orElseThrow(() -> Problems.invalid(
                            file.label(),
                            "expected a group 'model_weights', found " + Problems.some(file.names(root))));
            // Keras has stored its version since version 1.
            String version = file.text(root, VERSION)
                    .or(() -> file.text(weights, VERSION))
                    .orElseThrow(
                            () -> Problems.invalid(file.label(), "expected an attribute " + VERSION + ", found none"));
            KerasNetwork network = KerasNetwork.of(Config.parse(file.label(), "model", config.get()));
            return new StackReader(network, version, generation(file.label(), version))
                    .read(new NamedWeights(file, weights), layers);
        }
    }

    private static int generation(String label, String version) {
        Matcher matcher = GENERATION.matcher(version);
        int generation = matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
        if (generation < 2) {
            throw Problems.invalid(
                    label,
                    VERSION + ": expected 2 or 3, found " + Problems.quote(version)
                            + "; save it again with a later Keras");
        }
        return generation;
    }
}
