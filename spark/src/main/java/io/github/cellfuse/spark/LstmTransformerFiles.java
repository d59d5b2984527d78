package io.github.cellfuse.spark;

import io.github.cellfuse.InvalidInputException;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReadable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;

/**
 * Stores transformers: Spark's own file of the parameters, and beside it the model's file in the folder {@code model}.
 */
final class LstmTransformerFiles {
    private static final String MODEL = "model";

    private LstmTransformerFiles() {}

    /** Writes a transformer. */
    static final class Writer extends MLWriter {
        private final LstmTransformer transformer;

        Writer(LstmTransformer transformer) {
            this.transformer = transformer;
        }

        @Override
        public void saveImpl(String path) {
            Configuration hadoop = sparkSession().sparkContext().hadoopConfiguration();
            LstmTransformer stored = transformer.copy(ParamMap.empty());
            boolean hasModel = transformer.isSet(transformer.modelPath());
            // Read first: a model that can't be read leaves no folder behind.
            ModelSource.ModelBytes model = hasModel ? ModelSource.file(transformer.getModelPath(), hadoop) : null;
            if (hasModel) {
                stored.setModelPath(MODEL);
            }
            try {
                stored.paramsWriter().session(sparkSession()).save(path);
                if (hasModel) {
                    Path file = new Path(new Path(path, MODEL), model.name());
                    try (OutputStream out = file.getFileSystem(hadoop).create(file, true)) {
                        out.write(model.bytes());
                    }
                }
            } catch (IOException e) {
                throw new InvalidInputException(
                        path + ": expected a folder that can be written, found: " + e.getMessage(), e);
            }
        }
    }

    /** Spark's reader of parameters. */
    private static final class Params implements DefaultParamsReadable<LstmTransformer> {}

    /** Reads a transformer. */
    static final class Reader extends MLReader<LstmTransformer> {
        @Override
        public LstmTransformer load(String path) {
            LstmTransformer transformer =
                    new Params().read().session(sparkSession()).load(path);
            try {
                Path folder = new Path(path, MODEL);
                FileSystem system =
                        folder.getFileSystem(sparkSession().sparkContext().hadoopConfiguration());
                if (system.exists(folder)) {
                    for (FileStatus file : system.listStatus(folder)) {
                        transformer.setModelPath(
                                system.makeQualified(file.getPath()).toString());
                    }
                }
            } catch (IOException e) {
                throw new InvalidInputException(
                        path + ": expected the folder of a saved transformer, found: " + e.getMessage(), e);
            }
            return transformer;
        }
    }
}
