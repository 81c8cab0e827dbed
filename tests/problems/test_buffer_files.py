"""Machine data in CSV files: what is read, and what is refused with the file and the line."""

import numpy as np
import pytest
from scipy import stats

import problems
from cem.testing import ProblemContract
from problems.buffer_allocation import problem, read_machines
from problems.buffer_allocation.files import MOST_MACHINES

FULL = """\
machine, mean_time, cv, distribution, mean_time_to_failure, mean_time_to_repair
saw, 0.5, 0.25, , ,
mill, 0.8, , , 20, 5

drill, 0.9, 0.5, lognormal, ,
"wash, dry", 1.0, 0, , ,
pack, 2.0, 1, gamma, 10, 2
"""
RATES = "machine,rate\na,1.0\nb,1.1\nc,1.2\n"


def written(tmp_path, text):
    path = tmp_path / "line.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def full(tmp_path):
    return written(tmp_path, FULL)


class TestProblemOfAFile(ProblemContract):
    @pytest.fixture(autouse=True)
    def _read(self, full):
        self.problem = problem(machines=full, jobs=20).bind(np.random.default_rng(1))

    nominal = problem().nominal()


def test_names_are_in_the_order_of_the_file(full):
    names, line = read_machines(full)
    assert names == ("saw", "mill", "drill", "wash, dry", "pack")
    assert line.n_machines == 5


def test_service_times_have_the_mean_and_the_cv_of_the_file(full):
    saw, mill, drill, wash, pack = read_machines(full).line.service
    assert (mill, pack) == (1.25, 0.5)
    for service, mean, cv in ((saw, 0.5, 0.25), (drill, 0.9, 0.5)):
        assert service.mean() == pytest.approx(mean, rel=1e-14)
        assert service.std() == pytest.approx(cv * mean, rel=1e-14)
    assert saw.dist.name == "gamma"
    assert drill.dist.name == "lognorm"
    assert (wash.mean(), wash.support()) == (1.0, (1.0, 1.0))
    np.testing.assert_array_equal(wash.rvs((2, 3)), np.ones((2, 3)))


def test_failures_have_the_inverses_of_the_mean_times(full):
    line = read_machines(full).line
    assert line.failure_rate == (0.0, 0.05, 0.0, 0.0, 0.1)
    assert np.array(line.repair_rate)[[1, 4]].tolist() == [0.2, 0.5]
    np.testing.assert_allclose(line.rates, [2.0, 1.0, 1 / 0.9, 1.0, 0.5 / 1.2], rtol=1e-14)
    assert line.failures == "operation"
    assert read_machines(full, failures="time").line.failures == "time"


def test_rates_in_a_file_are_those_in_a_list(tmp_path):
    line = read_machines(written(tmp_path, RATES)).line
    assert line.service == (1.0, 1.1, 1.2)
    assert not line.fails
    assert line.exact_throughput([1, 2]) == problem([1.0, 1.1, 1.2]).line.exact_throughput([1, 2])


def test_columns_may_be_in_any_order_and_the_file_may_begin_with_a_mark(tmp_path):
    text = "\ufeff cv , rate , machine \n, 2, a\n0.5, 4, b\n"
    names, line = read_machines(written(tmp_path, text))
    assert names == ("a", "b")
    assert line.service[0] == 2.0
    assert line.service[1].std() == pytest.approx(0.125)


def test_exponential_may_be_said(tmp_path):
    text = "machine,mean_time,cv,distribution\na,2,,exponential\nb,4,1,exponential\nc,5,1,\n"
    assert read_machines(written(tmp_path, text)).line.service == (0.5, 0.25, 0.2)


def test_the_simulated_times_are_those_of_the_file(full):
    line = read_machines(full).line
    alone = line.simulate([[500, 500, 500, 500]], np.random.default_rng(1), jobs=4000)
    low, high = alone.confidence_interval(0.999)
    assert low[0] < 0.5 / 1.2 < high[0]  # the slowest machine is last, and hardly ever starved


def test_fixed_times_make_a_line_that_keeps_its_beat(tmp_path):
    text = "machine,mean_time,cv\na,2,0\nb,4,0\nc,1,0\n"
    found = read_machines(written(tmp_path, text)).line.simulate([[0, 0]], np.random.default_rng(1))
    assert (found.mean.tolist(), found.standard_error.tolist()) == ([0.25], [0.0])


def test_a_problem_by_name_reads_a_file(full):
    found = problems.load("buffer-allocation", machines=str(full), failures="time", capacity=7)
    assert found.line.failures == "time"
    assert found.line.n_machines == 5
    assert found.capacity == 7


@pytest.mark.parametrize("beside", [{"service": [1.0, 2.0]}, {"failure_rate": 0.1}])
def test_a_file_and_rates_exclude_each_other(full, beside):
    with pytest.raises(ValueError, match=r"machines without a file; got machines='.*line.csv'"):
        problem(machines=full, **beside)


HEAD = "machine,mean_time,cv,distribution,mean_time_to_failure,mean_time_to_repair\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": expected a line of names and a line per machine; got none"),
        (RATES[:19], ": a line has at least two machines; got 1"),
        (HEAD, ": a line has at least two machines; got 0"),
        ("mashine,rate\n", ", line 1: unknown column 'mashine'; did you mean 'machine'"),
        ("machine,rate,rate\n", ", line 1: the column 'rate' is there twice"),
        ("machine,cv\n", ", line 1: expected the columns machine and either mean_time or rate"),
        ("machine,rate,mean_time\n", ".*either mean_time or rate; got machine, rate, mean_time"),
        ("rate\n1\n2\n", ", line 1: expected the columns machine and"),
        ("a,1.0\nb,2.0\n", ", line 1: unknown column 'a'"),
        (HEAD + "\na,1\n", ", line 3: expected 6 cells; got 2"),
        (HEAD + ",1,,,,\n", ", line 2: expected the name of a machine; got an empty cell"),
        (HEAD + "a,,,,,\n", ", line 2: expected the mean time or the rate; got an empty cell"),
        (HEAD + "a,one,,,,\n", ", line 2: expected a positive number as mean_time; got 'one'"),
        (HEAD + "a,0,,,,\n", ", line 2: expected a positive number as mean_time; got '0'"),
        (HEAD + "a,nan,,,,\n", ", line 2: expected a positive number as mean_time; got 'nan'"),
        (HEAD + "a,inf,,,,\n", ", line 2: expected a positive number as mean_time; got 'inf'"),
        (HEAD + "a,1_0,,,,\n", ", line 2: expected a positive number as mean_time; got '1_0'"),
        (
            HEAD + "a,1,-1,,,\n",
            ", line 2: expected 0 or a number from 0.001 to 100 as cv; got '-1'",
        ),
        (
            HEAD + "a,1,1e200,,,\n",
            ", line 2: expected 0 or .* from 0.001 to 100 as cv; got '1e200'",
        ),
        (HEAD + "a,1,1e-200,,,\n", ", line 2: expected 0 or .* as cv; got '1e-200'"),
        (HEAD + "a,1,,,0,1\n", ", line 2: .* as mean_time_to_failure; got '0'"),
        (HEAD + "a,1,,,9,\n", ", line 2: .* needs both of mean_time_to_failure and mean_time_to_r"),
        (HEAD + "a,1,,,,9\n", ", line 2: a machine that fails needs both"),
        (HEAD + "a,1,,normal,,\n", ".* unknown distribution 'normal'; known: exponential, gamma"),
        (HEAD + "a,1,0.5,exponential,,\n", ", line 2: exponential times have the cv 1; got 0.5"),
        (HEAD + "a,1,0,exponential,,\n", ", line 2: exponential times have the cv 1; got 0"),
        (RATES + "a,3\n", ", line 5: every machine needs a name .*; 'a' is that of line 2"),
        ('machine,rate\n"a,1\n', " is not a CSV file: unexpected end of data"),
    ],
)
def test_a_file_that_cannot_be_is_refused_with_the_line(tmp_path, text, message):
    with pytest.raises(ValueError, match=r"line\.csv" + message):
        read_machines(written(tmp_path, text))


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "line.csv"
    path.write_bytes(b"machine,rate\n\xff\xfe,1\n")
    with pytest.raises(ValueError, match=r"line\.csv is not a CSV file: .*utf-8"):
        read_machines(path)


def test_a_file_of_too_many_lines_is_refused_before_it_is_read_to_the_end(tmp_path):
    path = written(tmp_path, RATES + "d,1\n" * MOST_MACHINES)
    with pytest.raises(ValueError, match=r"line\.csv: expected at most 10000 machines"):
        read_machines(path)


def test_a_lognormal_time_is_what_scipy_says(tmp_path):
    text = "machine,mean_time,cv,distribution\na,3,0.7,lognormal\nb,1,,\n"
    service = read_machines(written(tmp_path, text)).line.service[0]
    s2 = np.log(1.49)
    same = stats.norm(np.log(3) - s2 / 2, np.sqrt(s2))
    assert service.cdf(2.0) == pytest.approx(same.cdf(np.log(2.0)), rel=1e-13)
