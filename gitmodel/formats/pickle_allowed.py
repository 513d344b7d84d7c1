"""What a pickle of weights may import: exact names, nothing by pattern.

A name is here because constructing it, or setting its state, runs no code of the
pickle's choosing. Whole modules are never allowed, as modules re-export others: the
way from ``numpy`` to ``os.system`` is short. What is missing is reported, not run.
"""

from __future__ import annotations

#: Changes whenever a name comes or goes, so that attestations say what they rest on.
EDITION = "1"

_NAMES: dict[str, str] = {
    "builtins": "bool bytearray bytes complex dict float frozenset int list object "
    "range set slice str tuple",
    "collections": "Counter OrderedDict defaultdict deque",
    "copyreg": "__newobj__ _reconstructor",
    "datetime": "date datetime time timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "_codecs": "encode",
    "numpy": "dtype ndarray bool bool_ int8 int16 int32 int64 uint8 uint16 uint32 "
    "uint64 float16 float32 float64 complex64 complex128 str_ bytes_ longlong "
    "datetime64 timedelta64",
    "numpy._core.multiarray": "_reconstruct scalar",
    "numpy._core.numeric": "_frombuffer",
    "numpy.dtypes": "BoolDType Int8DType Int16DType Int32DType Int64DType UInt8DType "
    "UInt16DType UInt32DType UInt64DType Float16DType Float32DType Float64DType "
    "Complex64DType Complex128DType StrDType BytesDType ObjectDType",
    "numpy.random._pickle": "__bit_generator_ctor __generator_ctor __randomstate_ctor",
    "numpy.random._mt19937": "MT19937",
    "numpy.random._pcg64": "PCG64",
    "scipy.sparse._csr": "csr_matrix csr_array",
    "scipy.sparse._csc": "csc_matrix csc_array",
    "torch": "Size device dtype Tensor BFloat16Storage BoolStorage ByteStorage "
    "CharStorage ComplexDoubleStorage ComplexFloatStorage DoubleStorage FloatStorage "
    "HalfStorage IntStorage LongStorage ShortStorage QInt8Storage QInt32Storage "
    "QUInt8Storage bfloat16 bool complex64 complex128 double float float16 float32 "
    "float64 half int int8 int16 int32 int64 long short uint8 strided",
    "torch._utils": "_rebuild_parameter _rebuild_parameter_with_state "
    "_rebuild_qtensor _rebuild_sparse_tensor _rebuild_tensor _rebuild_tensor_v2",
    "torch.nn.parameter": "Parameter",
    "torch.serialization": "_get_layout",
    "torch.storage": "TypedStorage UntypedStorage",
    "sklearn.calibration": "CalibratedClassifierCV _CalibratedClassifier",
    "sklearn.cluster._kmeans": "KMeans MiniBatchKMeans",
    "sklearn.compose._column_transformer": "ColumnTransformer",
    "sklearn.decomposition._pca": "PCA",
    "sklearn.decomposition._truncated_svd": "TruncatedSVD",
    "sklearn.dummy": "DummyClassifier DummyRegressor",
    "sklearn.ensemble._bagging": "BaggingClassifier BaggingRegressor",
    "sklearn.ensemble._forest": "ExtraTreesClassifier ExtraTreesRegressor "
    "RandomForestClassifier RandomForestRegressor",
    "sklearn.ensemble._gb": "GradientBoostingClassifier GradientBoostingRegressor",
    "sklearn.ensemble._iforest": "IsolationForest",
    "sklearn.ensemble._voting": "VotingClassifier VotingRegressor",
    "sklearn.feature_extraction.text": "CountVectorizer TfidfTransformer "
    "TfidfVectorizer",
    "sklearn.impute._base": "MissingIndicator SimpleImputer",
    "sklearn.linear_model._base": "LinearRegression",
    "sklearn.linear_model._coordinate_descent": "ElasticNet Lasso",
    "sklearn.linear_model._logistic": "LogisticRegression LogisticRegressionCV",
    "sklearn.linear_model._ridge": "Ridge RidgeClassifier",
    "sklearn.linear_model._stochastic_gradient": "SGDClassifier SGDRegressor",
    "sklearn.naive_bayes": "BernoulliNB ComplementNB GaussianNB MultinomialNB",
    "sklearn.neighbors._classification": "KNeighborsClassifier",
    "sklearn.neighbors._regression": "KNeighborsRegressor",
    "sklearn.neural_network._multilayer_perceptron": "MLPClassifier MLPRegressor",
    "sklearn.pipeline": "FeatureUnion Pipeline",
    "sklearn.preprocessing._data": "MaxAbsScaler MinMaxScaler Normalizer "
    "PolynomialFeatures QuantileTransformer RobustScaler StandardScaler",
    "sklearn.preprocessing._encoders": "OneHotEncoder OrdinalEncoder",
    "sklearn.preprocessing._label": "LabelBinarizer LabelEncoder",
    "sklearn.svm._classes": "LinearSVC LinearSVR SVC SVR",
    "sklearn.tree._classes": "DecisionTreeClassifier DecisionTreeRegressor "
    "ExtraTreeClassifier ExtraTreeRegressor",
    "sklearn.tree._tree": "Tree",
}
#: The same under the names of older versions, and of Python 2 in old protocols.
_ALIASES = {
    "__builtin__": "builtins",
    "copy_reg": "copyreg",
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
}

ALLOWED: frozenset[tuple[str, str]] = frozenset(
    (module, name)
    for module, original in (*((key, key) for key in _NAMES), *_ALIASES.items())
    for name in _NAMES[original].split()
)
